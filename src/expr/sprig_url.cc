// sprig's functions on URLs, as Go's net/url parses and prints them.
#include <fmt/core.h>

#include "expr/builtin_table.h"
#include "expr/sprig_table.h"

namespace tiphys::expr {
namespace {

namespace sig = sprig_signature;
using Value = SprigValue;

bool is_alpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  const char small = static_cast<char>(c | 0x20);
  return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

diag::Result<std::string> unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return bad_expression(fmt::format("invalid URL escape \"{}\"", text.substr(i, 3)));
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string out;
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || std::string_view("-_.~").find(c) != std::string_view::npos ||
        kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

constexpr std::string_view kPathKept = "$&+,/:;=@";
constexpr std::string_view kFragmentKept = "$&+,/:;=@?!()*";
constexpr std::string_view kUserAllowed = "-._:~!$&'()*+,;=%@";
constexpr std::string_view kUserKept = "$&+,;=";
constexpr std::string_view kHostKept = "!$&'()*+,;=:[]<>\"";

struct Url {
  std::string scheme, opaque, userinfo, host, path, query, fragment;
};

std::string joined_user(std::string_view user, bool has_password, std::string_view password) {
  std::string out = escaped(user, kUserKept);
  if (has_password) out.append(":").append(escaped(password, kUserKept));
  return out;
}

diag::Result<void> parse_authority(std::string_view text, Url& url) {
  const std::size_t at = text.rfind('@');
  if (at != std::string_view::npos) {
    const std::string_view user = text.substr(0, at);
    for (const char c : user) {
      if (!is_alpha(c) && !is_digit(c) && kUserAllowed.find(c) == std::string_view::npos) {
        return bad_expression("net/url: invalid userinfo");
      }
    }
    const std::size_t colon = user.find(':');
    TRY(const std::string name, unescaped(user.substr(0, colon)));
    const bool has_password = colon != std::string_view::npos;
    TRY(const std::string password, unescaped(has_password ? user.substr(colon + 1) : ""));
    url.userinfo = joined_user(name, has_password, password);
    text.remove_prefix(at + 1);
  }
  if (text.find(' ') != std::string_view::npos) {
    return bad_expression("invalid character \" \" in host name");
  }
  const std::size_t bracket = text.starts_with('[') ? text.rfind(']') : 0;
  if (bracket == std::string_view::npos) return bad_expression("missing ']' in host");
  const std::size_t colon = text.find(':', bracket);
  if (colon != std::string_view::npos) {
    const std::string_view port = text.substr(text.rfind(':') + 1);
    if (text.rfind(':') != colon || port.find_first_not_of("0123456789") != port.npos) {
      return bad_expression(fmt::format("invalid port \"{}\" after host", text.substr(colon)));
    }
  }
  TRY(url.host, unescaped(text));
  return {};
}

// Takes `scheme:` off the text; none is no error.
diag::Result<void> take_scheme(std::string_view& text, Url& url) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (is_alpha(c)) continue;
    if (is_digit(c) || c == '+' || c == '-' || c == '.') {
      if (i == 0) return {};
      continue;
    }
    if (c != ':') return {};
    if (i == 0) return bad_expression("missing protocol scheme");
    for (const char letter : text.substr(0, i)) {
      url.scheme += static_cast<char>(is_alpha(letter) ? letter | 0x20 : letter);
    }
    text.remove_prefix(i + 1);
    return {};
  }
  return {};
}

diag::Result<Url> parse_url(std::string_view text) {
  Url url;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return bad_expression("net/url: invalid control character in URL");
    }
  }
  if (const std::size_t hash = text.find('#'); hash != std::string_view::npos) {
    TRY(url.fragment, unescaped(text.substr(hash + 1)));
    text = text.substr(0, hash);
  }
  TRY_VOID(take_scheme(text, url));
  if (const std::size_t mark = text.find('?'); mark != std::string_view::npos) {
    url.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (!text.starts_with('/')) {
    if (!url.scheme.empty()) {
      url.opaque = text;
      return url;
    }
    if (text.substr(0, text.find('/')).find(':') != std::string_view::npos) {
      return bad_expression("first path segment in URL cannot contain colon");
    }
  } else if (text.starts_with("//") && (!url.scheme.empty() || !text.starts_with("///"))) {
    text.remove_prefix(2);
    const std::size_t slash = std::min(text.find('/'), text.size());
    TRY_VOID(parse_authority(text.substr(0, slash), url));
    text.remove_prefix(slash);
  }
  TRY(url.path, unescaped(text));
  return url;
}

std::string host_name(std::string_view host) {
  if (host.starts_with('[')) return std::string(host.substr(1, host.rfind(']') - 1));
  return std::string(host.substr(0, host.rfind(':')));
}

Value url_parse(Arguments a, CallContext&) {
  const auto parsed = parse_url(a[0].as_string());
  if (!parsed) {
    return bad_expression(fmt::format("unable to parse url: parse \"{}\": {}", a[0].as_string(),
                                      parsed.error().message));
  }
  Table out;
  out.emplace(RuntimeValue("fragment"), parsed->fragment);
  out.emplace(RuntimeValue("host"), parsed->host);
  out.emplace(RuntimeValue("hostname"), host_name(parsed->host));
  out.emplace(RuntimeValue("opaque"), parsed->opaque);
  out.emplace(RuntimeValue("path"), parsed->path);
  out.emplace(RuntimeValue("query"), parsed->query);
  out.emplace(RuntimeValue("scheme"), parsed->scheme);
  out.emplace(RuntimeValue("userinfo"), parsed->userinfo);
  return RuntimeValue::map(std::move(out));
}

diag::Result<std::string> text_member(const RuntimeValue& map, std::string_view key) {
  const RuntimeValue* found = map.find(key);
  if (found == nullptr) return std::string();
  if (found->is_string()) return found->as_string();
  return bad_expression(fmt::format("unable to parse {} key, must be of type string, but {} found",
                                    key, kind_name(*found)));
}

std::string url_text(const Url& url) {
  std::string out = url.scheme.empty() ? "" : url.scheme + ":";
  if (!url.opaque.empty()) {
    out += url.opaque;
  } else {
    const std::string path = escaped(url.path, kPathKept);
    const bool has_authority = !url.host.empty() || !url.userinfo.empty();
    if (has_authority || !url.scheme.empty()) {
      if (has_authority || !url.path.empty()) out += "//";
      if (!url.userinfo.empty()) out += url.userinfo + "@";
      out += escaped(url.host, kHostKept);
    }
    if (!path.empty() && path[0] != '/' && !url.host.empty()) out += '/';
    if (out.empty() && path.substr(0, path.find('/')).find(':') != std::string::npos) out += "./";
    out += path;
  }
  if (!url.query.empty()) out += "?" + url.query;
  if (!url.fragment.empty()) out += "#" + escaped(url.fragment, kFragmentKept);
  return out;
}

Value url_join(Arguments a, CallContext&) {
  Url url;
  TRY(url.scheme, text_member(a[0], "scheme"));
  TRY(url.host, text_member(a[0], "host"));
  TRY(url.path, text_member(a[0], "path"));
  TRY(url.query, text_member(a[0], "query"));
  TRY(url.opaque, text_member(a[0], "opaque"));
  TRY(url.fragment, text_member(a[0], "fragment"));
  TRY(const std::string user, text_member(a[0], "userinfo"));
  if (!user.empty()) {
    auto parsed = parse_url("proto://" + user + "@host");
    if (!parsed) {
      return bad_expression("unable to parse userinfo in dict: " + parsed.error().message);
    }
    url.userinfo = std::move(parsed->userinfo);
  }
  return RuntimeValue(url_text(url));
}

constexpr std::array kRows = std::to_array<Builtin>({
    {"urlJoin", sig::kMap, url_join, "a URL from its parts"},
    {"urlParse", sig::kText, url_parse, "the parts of a URL"},
});

}  // namespace

std::span<const Builtin> sprig_url_rows() { return kRows; }

}  // namespace tiphys::expr
