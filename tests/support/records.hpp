// Makes records and events for tests.
#pragma once

#include "core/event.hpp"
#include "core/webhook.hpp"

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

namespace docmap::test {

/// A topic name that lives as long as the process, as records need it.
inline const std::string& topic(const std::string& name = "extraction.completed") {
    static std::set<std::string> names;
    return *names.insert(name).first;
}

struct RecordSpec {
    std::string_view value;
    std::int64_t offset = 0;
    std::uint64_t sequence = 0;
    std::uint64_t assignment = 1;
    std::int32_t partition = 0;
};

inline core::RecordPtr make_record(const RecordSpec& spec) {
    core::RecordFields fields;
    fields.topic = &topic();
    fields.partition = spec.partition;
    fields.offset = spec.offset;
    fields.sequence = spec.sequence;
    fields.assignment = core::AssignmentId{spec.assignment};
    fields.value = spec.value;
    return core::Record::create(fields);
}

/// An event of user `u1`, extraction `x1`, with the given body.
inline core::EventPtr make_event(const RecordSpec& spec, std::string_view id = "evt_1") {
    core::EventFields fields;
    fields.type = core::EventType::extraction_completed;
    fields.id = id;
    fields.user_id = "u1";
    fields.extraction_id = "x1";
    fields.body_hash = 7;
    return core::Event::create(make_record(spec), fields);
}

inline core::WebhookPtr make_webhook(const std::string& id, const std::string& user_id = "u1") {
    auto webhook = std::make_shared<core::Webhook>();
    webhook->id = core::WebhookId(id);
    webhook->user_id = user_id;
    webhook->url = "https://example.test/hook";
    webhook->parsed_url = {{true, "example.test", 443}, "/hook", "example.test"};
    webhook->events = {core::EventType::extraction_completed, core::EventType::extraction_failed};
    webhook->secret.text = std::string(64, 'a');
    return webhook;
}

} // namespace docmap::test
