#include "daemon/command_line.hpp"

#include "base/version.hpp"

#include <CLI/CLI.hpp>

namespace docmap::daemon {

namespace {

/// Adds a command and makes it set `options.command` when it is the one given.
CLI::App& add_command(CLI::App& parent, const char* name, const char* description, Command command,
                      Options& options) {
    CLI::App* added = parent.add_subcommand(name, description);
    added->callback([&options, command] { options.command = command; });
    return *added;
}

void add_keys_commands(CLI::App& program, Options& options) {
    CLI::App* keys = program.add_subcommand("keys", "Create, list or revoke API keys");
    keys->require_subcommand(1);
    keys->fallthrough();

    CLI::App& create =
        add_command(*keys, "create", "Create an API key and print it, alone, on standard output",
                    Command::keys_create, options);
    create.fallthrough();
    create.add_option("--user", options.user, "Id of the user the key belongs to")->required();
    create.add_option("--name", options.name, "What the key is for")->capture_default_str();
    create.add_option("--expires", options.expires, "When it expires")
        ->check(CLI::IsMember({"30d", "60d", "90d", "1y", "never"}))
        ->capture_default_str();
    create.add_flag("--import", options.import, "Read an existing key from standard input");

    CLI::App& list =
        add_command(*keys, "list", "List API keys, without the keys themselves", Command::keys_list, options);
    list.fallthrough();
    list.add_option("--user", options.user, "Only keys of this user");

    CLI::App& revoke =
        add_command(*keys, "revoke", "Revoke an API key at once", Command::keys_revoke, options);
    revoke.fallthrough();
    revoke.add_option("id", options.key_id, "Id of the key, as shown by keys list")->required();
}

/// Reads a time into `out`; the error says what a time looks like.
CLI::callback_t read_time(std::optional<base::SystemTime>& out) {
    return [&out](const CLI::results_t& texts) {
        out = base::parse_iso8601(texts.front());
        if (!out)
            throw CLI::ValidationError("\"" + texts.front() +
                                       "\" is no time: expected ISO 8601 with Z or an offset, such as "
                                       "2025-01-15T10:00:00Z");
        return true;
    };
}

CLI::Option& add_time(CLI::App& command, const char* name, std::optional<base::SystemTime>& out,
                      const char* description) {
    return *command.add_option(name, read_time(out), description)->type_name("TIME");
}

void check_replay(const ReplayOptions& replay) {
    const core::ReplaySelection& selection = replay.selection;
    if (!replay.resume_id.empty()) return;
    if (!selection.from && selection.user_id.empty() && selection.webhook_id.empty())
        throw CLI::ValidationError("replay",
                                   "what is to be replayed? Give at least one of --from, --since, --user, "
                                   "--webhook; or --resume to go on with an earlier one");
    if (selection.from && selection.to && *selection.from >= *selection.to)
        throw CLI::ValidationError("replay", "--from " + base::format_iso8601(*selection.from) +
                                                 " is not before --to " +
                                                 base::format_iso8601(*selection.to));
}

void add_replay_command(CLI::App& program, Options& options) {
    ReplayOptions& replay = options.replay;
    CLI::App& command = *program.add_subcommand(
        "replay",
        "Deliver past events again, or for the first time to a webhook that is newer than they are");
    command.fallthrough();
    command.footer(
        "Events are read back from Kafka and put into the delivery queue; running daemons deliver them\n"
        "with the usual retries and limits. Times are those of the Kafka records.\n"
        "Example: docmap-webhookd replay --webhook webhook-ab12cd34ef56 --since 2025-01-15T00:00:00Z");
    CLI::Option& from = add_time(command, "--from", replay.selection.from, "Events from this time on");
    CLI::Option& to = add_time(command, "--to", replay.selection.to, "Events before this time");
    CLI::Option& since =
        add_time(command, "--since", replay.selection.from, "Events from this time until now");
    since.excludes(&from)->excludes(&to);
    CLI::Option* user = command.add_option("--user", replay.selection.user_id, "Only events of this user");
    CLI::Option* webhook =
        command.add_option("--webhook", replay.selection.webhook_id, "Only deliveries to this webhook");
    CLI::Option* status = command
                              .add_option_function<std::string>(
                                  "--status",
                                  [&replay](const std::string& name) {
                                      replay.selection.status = *core::parse_replay_status(name);
                                  },
                                  "Which deliveries: missing (default; never attempted), failed (attempted, "
                                  "none succeeded) or all. "
                                  "None that waits already")
                              ->check(CLI::IsMember({"missing", "failed", "all"}));
    command.add_flag("--dry-run", replay.dry_run, "Count what would be delivered and change nothing");
    CLI::Option* resume =
        command.add_option("--resume", replay.resume_id, "Go on with the interrupted replay of this id");
    for (CLI::Option* option : {&from, &to, &since, user, webhook, status})
        resume->excludes(option);
    command.callback([&options] {
        options.command = Command::replay;
        check_replay(options.replay);
    });
}

void check_rejected_replay(const RejectedReplayOptions& replay) {
    if (replay.ids.empty() && !replay.all)
        throw CLI::ValidationError("rejected replay",
                                   "which records? Give their ids, as shown by rejected list, or --all");
    if (!replay.value_file.empty() && (replay.all || replay.ids.size() != 1))
        throw CLI::ValidationError("rejected replay",
                                   "--value-file holds the value of one record: give one id");
}

void add_rejected_commands(CLI::App& program, Options& options) {
    CLI::App* rejected = program.add_subcommand(
        "rejected", "List records that broke the rules for events, or feed them in again");
    rejected->require_subcommand(1);
    rejected->fallthrough();

    RejectedListOptions& wanted = options.rejected_list;
    CLI::App& list =
        add_command(*rejected, "list", "List rejected records, newest first, without their values",
                    Command::rejected_list, options);
    list.fallthrough();
    list.add_option("--limit", wanted.limit, "Most records to list")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    list.add_option("--topic", wanted.topic, "Only records of this topic");
    add_time(list, "--since", wanted.since, "Only records that were rejected at this time or later");
    list.add_flag("--all", wanted.all, "Also records that were fed in again");

    RejectedReplayOptions& replay = options.rejected_replay;
    CLI::App& feed = *rejected->add_subcommand(
        "replay", "Write rejected records to their topic again, where the daemon reads them as new ones");
    feed.fallthrough();
    CLI::Option* ids = feed.add_option("id", replay.ids, "Ids of the records, as shown by rejected list")
                           ->check(CLI::PositiveNumber);
    feed.add_flag("--all", replay.all, "Every record that was not fed in again yet")->excludes(ids);
    feed.add_flag("--again", replay.again, "Also records that were fed in again already");
    feed.add_option("--value-file", replay.value_file,
                    "Write the content of this file instead of the stored value")
        ->check(CLI::ExistingFile);
    feed.callback([&options] {
        options.command = Command::rejected_replay;
        check_rejected_replay(options.rejected_replay);
    });
}

} // namespace

ParsedCommandLine parse_command_line(int argc, const char* const* argv) {
    Options options;
    options.config_file = default_config_file;
    options.name = "command line";
    options.expires = "never";

    CLI::App program{"Delivers DocMap's extraction events from Kafka to webhooks.", "docmap-webhookd"};
    program.set_version_flag("--version", std::string("docmap-webhookd ") + base::version);
    program.add_option("--config", options.config_file, "Configuration file")->capture_default_str();
    program.require_subcommand(1);
    program.fallthrough();
    add_command(program, "serve", "Run the daemon", Command::serve, options).fallthrough();
    add_command(program, "migrate", "Bring the database schema up to date", Command::migrate, options)
        .fallthrough();
    add_command(program, "check", "Check the configuration and every connection", Command::check, options)
        .fallthrough();
    add_keys_commands(program, options);
    add_replay_command(program, options);
    add_rejected_commands(program, options);

    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        // CLI11 prints help and version too, which are no errors.
        const int code = program.exit(error);
        return {std::nullopt, code == 0 ? exit_ok : exit_usage};
    }
    return {options, exit_ok};
}

} // namespace docmap::daemon
