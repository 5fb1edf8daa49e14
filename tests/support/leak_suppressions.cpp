// What LeakSanitizer finds in libraries that are not ours. Linked into every test program of an address
// sanitizer build.

// libpqxx 6.4 (Debian 12) does not free the result of the LISTEN that a notification receiver sends: once for
// each connection that listens.
extern "C" const char* __lsan_default_suppressions() {
    return "leak:libpqxx-6.4.so\n";
}
