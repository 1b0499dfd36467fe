#include "store/postgres_address.h"

#include <algorithm>

namespace tiphys::store {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_code = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                         hex_digit(text[i + 2]) >= 0;
    out +=
        is_code ? static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2])) : text[i];
    if (is_code) i += 2;
  }
  return out;
}

/// USER:PASSWORD and the rest up to the parameters, and these.
struct Parts {
  std::string_view scheme, user, password, rest, parameters;
};

Parts parts_of(std::string_view url) {
  Parts out;
  const std::size_t begin = url.find("://");
  if (begin == std::string_view::npos) return out;
  out.scheme = url.substr(0, begin + 3);
  url.remove_prefix(begin + 3);
  // A password that should have been encoded may hold any of these: the last @ ends it, if there is
  // one before the parameters, or one in what looks like parameters.
  std::size_t at = url.rfind('@', url.find('?'));
  if (at == std::string_view::npos) at = url.rfind('@', url.find("?host="));
  if (at != std::string_view::npos) {
    const std::string_view whole = url.substr(0, at);
    const std::size_t colon = whole.find(':');
    out.user = whole.substr(0, colon);
    if (colon != std::string_view::npos) out.password = whole.substr(colon + 1);
    url.remove_prefix(at + 1);
  }
  const std::size_t question = url.find('?');
  out.rest = url.substr(0, question);
  if (question != std::string_view::npos) out.parameters = url.substr(question + 1);
  return out;
}

}  // namespace

bool is_postgres_address(std::string_view where) {
  return where.starts_with("postgresql://") || where.starts_with("postgres://");
}

std::string shown_address(std::string_view url) {
  const Parts p = parts_of(url);
  std::string out(p.scheme);
  if (!p.user.empty()) out.append(p.user).append("@");
  return out.append(p.rest);
}

std::string shown_address_or_path(const std::string& where) {
  return is_postgres_address(where) ? shown_address(where) : where;
}

std::vector<std::string> passwords_in(std::string_view url) {
  const Parts p = parts_of(url);
  std::vector<std::string> out;
  const auto add = [&out](std::string_view word) {
    if (word.empty()) return;
    out.emplace_back(word);
    if (std::string plain = decoded(word); plain != word) out.push_back(std::move(plain));
  };
  add(p.password);
  for (std::string_view rest = p.parameters; !rest.empty();) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    for (const std::string_view key : {"password=", "sslpassword="}) {
      if (pair.starts_with(key)) add(pair.substr(key.size()));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  // The longer one first, should one hold the other.
  std::ranges::sort(out, std::ranges::greater{}, &std::string::size);
  return out;
}

std::string without_passwords(std::string text, const std::vector<std::string>& passwords) {
  for (const std::string& password : passwords) {
    constexpr std::string_view kHidden = "***";
    for (std::size_t at = text.find(password); at != std::string::npos;
         at = text.find(password, at + kHidden.size())) {
      text.replace(at, password.size(), kHidden);
    }
  }
  while (!text.empty() && text.back() == '\n') text.pop_back();
  std::ranges::replace(text, '\n', ' ');
  return text;
}

}  // namespace tiphys::store
