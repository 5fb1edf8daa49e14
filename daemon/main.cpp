// docmap-webhookd: reads the command line and runs one command. The daemon itself is daemon/service.hpp.
#include "daemon/command_line.hpp"
#include "daemon/commands.hpp"
#include "net/openssl_memory.hpp"

#include <csignal>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    using namespace docmap::daemon;
    // A peer that goes away is an error of that one write, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    // Before anything uses OpenSSL. Without it, thousands of waiting connections take more memory, no more.
    docmap::net::use_pooled_openssl_memory();
    const ParsedCommandLine parsed = parse_command_line(argc, argv);
    if (!parsed.options) return parsed.exit_code;
    try {
        return run_command(*parsed.options);
    } catch (const std::exception& error) {
        std::cerr << "docmap-webhookd: " << error.what() << '\n';
        return exit_failed;
    }
}
