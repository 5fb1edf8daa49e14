#include "daemon/command_line.hpp"

#include "base/version.hpp"

#include <CLI/CLI.hpp>

namespace docmap::daemon {

namespace {

constexpr const char* default_config_file = "/etc/docmap-webhookd/config.toml";

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
