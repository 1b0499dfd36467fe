// A connection to a server, with TLS or without, as Boost.Beast reads and writes one.
//
// Every wait has an end. Names are looked up in /etc/hosts and by DNS alone: a static program must
// load no modules of the image that it runs in.
#pragma once

#include <openssl/ssl.h>

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <memory>
#include <string>

#include "diag/error.h"

namespace tiphys::step {

struct Server {
  bool is_tls = false;
  std::string host;
  std::string port;
};

/// What certificates are trusted: those of `text`, in PEM, or when it is empty those of `file`.
struct Trust {
  std::string text;
  std::string file;
};

class Connection {
 public:
  /// Errors: kIo.
  [[nodiscard]] static diag::Result<std::unique_ptr<Connection>> open(const Server& server,
                                                                      const Trust& trust);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers, boost::system::error_code& error) {
    return read_bytes(first_of<boost::asio::mutable_buffer>(buffers), error);
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers, boost::system::error_code& error) {
    return write_bytes(first_of<boost::asio::const_buffer>(buffers), error);
  }
  // Beast asks for those that throw, too, and calls the others.
  template <typename Buffers>
  std::size_t read_some(const Buffers& buffers) {
    boost::system::error_code error;
    return read_some(buffers, error);
  }
  template <typename Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::system::error_code error;
    return write_some(buffers, error);
  }

 private:
  Connection() = default;

  template <typename Buffer, typename Buffers>
  static Buffer first_of(const Buffers& buffers) {
    const auto end = boost::asio::buffer_sequence_end(buffers);
    for (auto it = boost::asio::buffer_sequence_begin(buffers); it != end; ++it) {
      const Buffer one(*it);
      if (one.size() > 0) return one;
    }
    return {};
  }

  std::size_t read_bytes(boost::asio::mutable_buffer to, boost::system::error_code& error);
  std::size_t write_bytes(boost::asio::const_buffer from, boost::system::error_code& error);
  [[nodiscard]] diag::Result<void> connect(const Server& server);
  [[nodiscard]] diag::Result<void> begin_tls(const Server& server, const Trust& trust);

  int fd_ = -1;
  SSL_CTX* context_ = nullptr;
  SSL* tls_ = nullptr;
};

}  // namespace tiphys::step
