#include "net/socket_bio.hpp"

#include "net/socket.hpp"

#include <openssl/bio.h>

#include <new>
#include <span>
#include <string_view>

namespace docmap::net {
namespace {

SocketChannel& channel_of(BIO* bio) {
    return *static_cast<SocketChannel*>(BIO_get_data(bio));
}

int write(BIO* bio, const char* data, int size) {
    SocketChannel& channel = channel_of(bio);
    BIO_clear_retry_flags(bio);
    const IoResult sent = send(channel.socket, std::string_view(data, static_cast<std::size_t>(size)));
    if (sent.status == IoStatus::done) {
        channel.sent_since_mark = true;
        return static_cast<int>(sent.bytes);
    }
    if (sent.status == IoStatus::want_write)
        BIO_set_retry_write(bio);
    else
        channel.error_number = sent.error_number;
    return -1;
}

int read(BIO* bio, char* data, int size) {
    SocketChannel& channel = channel_of(bio);
    BIO_clear_retry_flags(bio);
    const IoResult received = receive(channel.socket, std::span(data, static_cast<std::size_t>(size)));
    channel.filled_buffer = received.bytes == static_cast<std::size_t>(size);
    switch (received.status) {
    case IoStatus::done:
        return static_cast<int>(received.bytes);
    case IoStatus::want_read:
        BIO_set_retry_read(bio);
        return -1;
    case IoStatus::closed:
        channel.peer_closed = true;
        return 0;
    default:
        channel.error_number = received.error_number;
        return -1;
    }
}

long control(BIO* bio, int command, long /*number*/, void* /*pointer*/) {
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return channel_of(bio).peer_closed ? 1 : 0;
    default:
        return 0;
    }
}

/// The kind of BIO: one for the process, never freed, as threads may use it until the end.
const BIO_METHOD* socket_method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "webhook socket");
        if (made == nullptr) throw std::bad_alloc();
        BIO_meth_set_write(made, write);
        BIO_meth_set_read(made, read);
        BIO_meth_set_ctrl(made, control);
        return made;
    }();
    return method;
}

} // namespace

BIO* make_socket_bio(SocketChannel& channel) {
    BIO* bio = BIO_new(socket_method());
    if (bio == nullptr) throw std::bad_alloc();
    BIO_set_data(bio, &channel);
    BIO_set_init(bio, 1);
    return bio;
}

} // namespace docmap::net
