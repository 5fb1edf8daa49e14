// Memory for OpenSSL's large buffers, apart from the heap. A TLS handshake takes and returns some 60 KB in a
// few buffers; taken from the heap, these leave holes between the small pieces that a connection keeps, so
// that thousands of waiting connections hold half as much again. Here a buffer that is returned gives its
// memory back to the system, except for a few that each thread keeps for the next record. Process-wide:
// thread-safe, never freed.
#pragma once

namespace docmap::net {

/// Makes OpenSSL use it. To be called at the start of `main`: false, and without effect, where OpenSSL has
/// allocated memory before.
bool use_pooled_openssl_memory();

} // namespace docmap::net
