#include "core/webhook_id.hpp"

#include <xxhash.h>

namespace docmap::core {

WebhookId::Hash WebhookId::hash_of(std::string_view text) {
    const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
    return {hash.high64, hash.low64};
}

} // namespace docmap::core
