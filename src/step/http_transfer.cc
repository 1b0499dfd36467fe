#include "step/http_transfer.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <thread>

#include "expr/base64.h"
#include "step/files.h"

namespace tiphys::step {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;

constexpr int kTries = 7;
constexpr auto kFirstPause = std::chrono::milliseconds(300);  // doubled each time
constexpr std::size_t kTextMax = std::size_t{64} << 10U;      // of an answer that is no object

struct Address {
  Server server;
  std::string host;  // as the header has it
  std::string target;
};

std::optional<Address> address_of(std::string_view url) {
  Address address;
  address.server.is_tls = url.starts_with("https://");
  if (!address.server.is_tls && !url.starts_with("http://")) return std::nullopt;
  url.remove_prefix(url.find("://") + 3);
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  address.host = url.substr(0, end);
  address.target = url.substr(end);
  std::string_view name = address.host;
  const std::size_t colon = name.rfind(':');
  const bool has_port = colon != std::string_view::npos && name.find(']', colon) == name.npos;
  address.server.port = has_port ? name.substr(colon + 1) : address.server.is_tls ? "443" : "80";
  if (has_port) name = name.substr(0, colon);
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  address.server.host = name;
  if (address.server.host.empty()) return std::nullopt;
  return address;
}

/// How one try has ended.
struct Try {
  int status = 0;       // 0: no answer
  std::string problem;  // of the connection or of a file
  std::string text;     // of an answer that is no object
  bool is_final = false;
};

template <typename Request>
void set_headers(Request& request, const Transfer& transfer, const Address& address) {
  request.set(http::field::host, address.host);
  for (const std::string& header : transfer.headers) {
    const std::size_t colon = header.find(": ");
    if (colon != std::string::npos) request.set(header.substr(0, colon), header.substr(colon + 2));
  }
}

// The head of the answer, and its body when it is no object's.
void read_answer(Connection& connection, beast::flat_buffer& buffer,
                 http::response_parser<http::empty_body>& head, Try& made, bool is_object) {
  made.status = static_cast<int>(head.get().result_int());
  if (is_object && made.status >= 200 && made.status <= 299) return;
  http::response_parser<http::string_body> body(std::move(head));
  body.body_limit(kTextMax);
  ErrorCode error;
  http::read(connection, buffer, body, error);
  made.text = body.get().body();
}

std::string between(std::string_view text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + from.size());
  return std::string(text.substr(0, text.find(to)));
}

bool may_try_again(const Try& made) {
  if (made.is_final) return false;
  const bool is_slow = between(made.text, "<Code>", "<") == "RequestTimeout";
  return made.status == 0 || made.status >= 500 || made.status == 429 || is_slow;
}

diag::Result<void> judged(const Try& made, const std::string& url) {
  if (made.status >= 200 && made.status <= 299 && made.problem.empty()) return {};
  if (made.status < 200 || made.status <= 299) {
    return diag::fail(diag::Code::kIo, server_of(url) + ": " + made.problem);
  }
  const std::string message = between(made.text, "<Message>", "<");
  const auto code = made.status == 404 ? diag::Code::kNotFound : diag::Code::kIo;
  return diag::fail(code, server_of(url) + " answered with status " + std::to_string(made.status) +
                              (message.empty() ? "" : ": " + message));
}

template <typename Once>
diag::Result<void> tried(const std::string& url, Once once) {
  const auto address = address_of(url);
  if (!address) return diag::fail(diag::Code::kIo, "an address is neither http nor https");
  ::signal(SIGPIPE, SIG_IGN);  // TLS writes as it likes
  auto pause = kFirstPause;
  for (int i = 1;; ++i) {
    const Try made = once(*address);
    if (i >= kTries || !may_try_again(made)) return judged(made, url);
    std::this_thread::sleep_for(pause);
    pause *= 2;
  }
}

Try fetch_once(const Transfer& transfer, const Trust& trust, const std::string& path,
               const Address& address) {
  Try made;
  auto connection = Connection::open(address.server, trust);
  if (!connection) return {.problem = connection.error().message, .text = {}};
  http::request<http::empty_body> request(http::verb::get, address.target, 11);
  set_headers(request, transfer, address);
  ErrorCode error;
  http::write(**connection, request, error);
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> head;
  head.body_limit(boost::none);  // compared with the Content-Length when the head is read
  if (!error) http::read_header(**connection, buffer, head, error);
  if (error) return {.problem = error.message(), .text = {}};
  read_answer(**connection, buffer, head, made, true);
  if (made.status < 200 || made.status > 299) return made;
  http::response_parser<http::file_body> body(std::move(head));
  body.body_limit(boost::none);
  body.get().body().open(path.c_str(), beast::file_mode::write, error);
  made.is_final = static_cast<bool>(error);
  if (!error) http::read(**connection, buffer, body, error);
  if (!error) return made;
  made.is_final = made.is_final || error == boost::system::errc::no_space_on_device;
  return {.problem = error.message(), .text = {}, .is_final = made.is_final};
}

// As the header Content-MD5 wants it. Errors: kIo.
diag::Result<std::string> md5_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed("open", path, errno);
  EVP_MD_CTX* const context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_md5(), nullptr);
  std::vector<char> buffer(std::size_t{1} << 16U);
  ssize_t n = 0;
  while ((n = ::read(fd, buffer.data(), buffer.size())) > 0) {
    EVP_DigestUpdate(context, buffer.data(), static_cast<std::size_t>(n));
  }
  const int problem = errno;
  ::close(fd);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned size = 0;
  EVP_DigestFinal_ex(context, digest.data(), &size);
  EVP_MD_CTX_free(context);
  if (n < 0) return failed("read", path, problem);
  return expr::base64_encode({reinterpret_cast<const char*>(digest.data()), size});
}

Try send_once(const Transfer& transfer, const Trust& trust, const std::string& path,
              const std::string& md5, const Address& address) {
  Try made;
  auto connection = Connection::open(address.server, trust);
  if (!connection) return {.problem = connection.error().message, .text = {}};
  http::request<http::file_body> request;
  request.method(http::verb::put);
  request.target(address.target);
  request.version(11);
  set_headers(request, transfer, address);
  request.set("Content-MD5", md5);
  ErrorCode error;
  request.body().open(path.c_str(), beast::file_mode::scan, error);
  if (error) return {.problem = error.message(), .text = {}, .is_final = true};
  request.prepare_payload();
  http::write(**connection, request, error);
  // A server that refuses says so before all of it is there.
  beast::flat_buffer buffer;
  http::response_parser<http::empty_body> head;
  ErrorCode answer;
  http::read_header(**connection, buffer, head, answer);
  if (answer) return {.problem = (error ? error : answer).message(), .text = {}};
  read_answer(**connection, buffer, head, made, false);
  if (error && made.status < 300) return {.problem = error.message(), .text = {}};
  return made;
}

}  // namespace

diag::Result<void> fetch_file(const Transfer& transfer, const Trust& trust,
                              const std::string& path) {
  return tried(transfer.url,
               [&](const Address& address) { return fetch_once(transfer, trust, path, address); });
}

diag::Result<void> send_file(const Transfer& transfer, const Trust& trust,
                             const std::string& path) {
  TRY(const std::string md5, md5_of(path));
  return tried(transfer.url, [&](const Address& address) {
    return send_once(transfer, trust, path, md5, address);
  });
}

}  // namespace tiphys::step
