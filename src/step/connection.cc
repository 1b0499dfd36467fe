#include "step/connection.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <nss.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/beast/http/error.hpp>
#include <cerrno>
#include <climits>
#include <cstring>

namespace tiphys::step {
namespace {

constexpr timeval kSilence = {.tv_sec = 60, .tv_usec = 0};  // without a byte: it is dead
constexpr timeval kConnecting = {.tv_sec = 10, .tv_usec = 0};

std::unexpected<diag::Error> failed(const std::string& what, const std::string& why) {
  return diag::fail(diag::Code::kIo, what + ": " + why);
}

std::string tls_error() {
  const unsigned long code = ERR_get_error();
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? "TLS failed" : reason;
}

bool is_address(const std::string& host) {
  unsigned char bytes[sizeof(in6_addr)];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

diag::Result<void> trust_only(SSL_CTX* context, const Trust& trust) {
  if (trust.text.empty()) {
    if (SSL_CTX_load_verify_file(context, trust.file.c_str()) == 1) return {};
    return failed("no certificates to trust", trust.file);
  }
  BIO* const bytes = BIO_new_mem_buf(trust.text.data(), static_cast<int>(trust.text.size()));
  int count = 0;
  while (X509* const one = PEM_read_bio_X509(bytes, nullptr, nullptr, nullptr)) {
    count += X509_STORE_add_cert(SSL_CTX_get_cert_store(context), one);
    X509_free(one);
  }
  BIO_free(bytes);
  ERR_clear_error();
  if (count > 0) return {};
  return failed("no certificates to trust", "caSecret holds none");
}

}  // namespace

diag::Result<std::unique_ptr<Connection>> Connection::open(const Server& server,
                                                           const Trust& trust) {
  std::unique_ptr<Connection> made(new Connection());
  TRY_VOID(made->connect(server));
  if (server.is_tls) TRY_VOID(made->begin_tls(server, trust));
  return made;
}

Connection::~Connection() {
  SSL_free(tls_);
  SSL_CTX_free(context_);
  if (fd_ >= 0) ::close(fd_);
}

diag::Result<void> Connection::connect(const Server& server) {
  ::__nss_configure_lookup("hosts", "files dns");
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int problem = ::getaddrinfo(server.host.c_str(), server.port.c_str(), &hints, &found);
  if (problem != 0) return failed(server.host, ::gai_strerror(problem));
  int error = 0;
  for (const addrinfo* one = found; one != nullptr && fd_ < 0; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC, one->ai_protocol);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kConnecting, sizeof kConnecting);
    if (fd >= 0 && ::connect(fd, one->ai_addr, one->ai_addrlen) == 0) {
      fd_ = fd;
      break;
    }
    error = errno == EINPROGRESS ? ETIMEDOUT : errno;
    if (fd >= 0) ::close(fd);
  }
  ::freeaddrinfo(found);
  if (fd_ < 0) return failed("connect to " + server.host, std::strerror(error));
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &kSilence, sizeof kSilence);
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &kSilence, sizeof kSilence);
  return {};
}

diag::Result<void> Connection::begin_tls(const Server& server, const Trust& trust) {
  // The image may hold a configuration for another OpenSSL.
  OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  context_ = SSL_CTX_new(TLS_client_method());
  if (context_ == nullptr) return failed(server.host, tls_error());
  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  TRY_VOID(trust_only(context_, trust));
  tls_ = SSL_new(context_);
  if (tls_ == nullptr || SSL_set_fd(tls_, fd_) != 1) return failed(server.host, tls_error());
  if (is_address(server.host)) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_), server.host.c_str());
  } else {
    SSL_set1_host(tls_, server.host.c_str());
    SSL_ctrl(tls_, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(server.host.c_str()));
  }
  if (SSL_connect(tls_) == 1) return {};
  const long verified = SSL_get_verify_result(tls_);
  return failed(server.host,
                verified == X509_V_OK ? tls_error() : X509_verify_cert_error_string(verified));
}

std::size_t Connection::read_bytes(boost::asio::mutable_buffer to,
                                   boost::system::error_code& error) {
  error = {};
  if (to.size() == 0) return 0;
  for (;;) {
    errno = 0;
    const int max = static_cast<int>(std::min<std::size_t>(to.size(), INT_MAX));
    const ssize_t n =
        tls_ != nullptr ? SSL_read(tls_, to.data(), max) : ::recv(fd_, to.data(), to.size(), 0);
    if (n > 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    const bool is_end = tls_ == nullptr
                            ? n == 0
                            : SSL_get_error(tls_, static_cast<int>(n)) == SSL_ERROR_ZERO_RETURN;
    if (is_end) {
      error = boost::asio::error::eof;
    } else if (errno == EAGAIN) {
      error = boost::asio::error::timed_out;
    } else {
      error = boost::asio::error::connection_reset;
    }
    return 0;
  }
}

std::size_t Connection::write_bytes(boost::asio::const_buffer from,
                                    boost::system::error_code& error) {
  error = {};
  if (from.size() == 0) return 0;
  for (;;) {
    errno = 0;
    const int max = static_cast<int>(std::min<std::size_t>(from.size(), INT_MAX));
    const ssize_t n = tls_ != nullptr ? SSL_write(tls_, from.data(), max)
                                      : ::send(fd_, from.data(), from.size(), MSG_NOSIGNAL);
    if (n > 0) return static_cast<std::size_t>(n);
    if (errno == EINTR) continue;
    error = errno == EAGAIN ? boost::asio::error::timed_out : boost::asio::error::connection_reset;
    return 0;
  }
}

}  // namespace tiphys::step
