// Prints webhooks of many users as rows for PostgreSQL's COPY (id, user_id, url, events, secret_sealed),
// sealed as the daemon seals them: creating 100,000 of them through the API would take minutes.
//
//     bench-webhooks MASTER_KEY_FILE FIRST_USER USERS HOOKS_PER_USER URL_PREFIX
//
// Users are named as bench/load.py names them. Secrets are made from the webhook's number: throw-away data.
#include "base/hex.hpp"
#include "config/master_key.hpp"
#include "core/secret_box.hpp"
#include "core/sha256.hpp"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

using namespace docmap;

constexpr std::uint64_t max_hooks_per_user = 100;

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size())
        throw std::invalid_argument("not a number: " + std::string(text));
    return value;
}

std::string padded(const char* format, std::uint64_t number) {
    char text[64];
    std::snprintf(text, sizeof text, format, static_cast<unsigned long long>(number));
    return text;
}

void print_row(const core::SecretBox& box, std::uint64_t user, std::uint64_t hook, const std::string& url) {
    const std::uint64_t number = user * max_hooks_per_user + hook;
    const std::string id = padded("webhook-%012llu", number);
    const auto digest = core::sha256(id);
    const std::string secret = base::to_hex({digest.data(), digest.size()});
    core::SecretBox::Nonce nonce{};
    std::memcpy(nonce.data(), &number, sizeof number);
    const std::string sealed = box.seal(secret, id, nonce);
    const std::string hex =
        base::to_hex({reinterpret_cast<const unsigned char*>(sealed.data()), sealed.size()});
    std::printf("%s\t%s\t%s/%llu/%llu\t{extraction.completed,extraction.failed}\t\\\\x%s\n", id.c_str(),
                padded("user-%06llu", user).c_str(), url.c_str(), static_cast<unsigned long long>(user),
                static_cast<unsigned long long>(hook), hex.c_str());
}

void run(char** arguments) {
    auto key = config::read_master_key_file(arguments[1]);
    if (!key.has_value()) throw std::runtime_error(key.error().message);
    const core::SecretBox box(*key);
    const std::uint64_t first = number_of(arguments[2]);
    const std::uint64_t users = number_of(arguments[3]);
    const std::uint64_t hooks = number_of(arguments[4]);
    if (hooks > max_hooks_per_user) throw std::invalid_argument("at most 100 webhooks per user");
    for (std::uint64_t user = first; user < first + users; ++user)
        for (std::uint64_t hook = 0; hook < hooks; ++hook)
            print_row(box, user, hook, arguments[5]);
}

} // namespace

int main(int count, char** arguments) {
    if (count != 6) {
        std::fputs("usage: bench-webhooks MASTER_KEY_FILE FIRST_USER USERS HOOKS_PER_USER URL_PREFIX\n",
                   stderr);
        return 2;
    }
    try {
        run(arguments);
    } catch (const std::exception& problem) {
        std::fprintf(stderr, "bench-webhooks: %s\n", problem.what());
        return 1;
    }
    return std::fflush(stdout) == 0 ? 0 : 1;
}
