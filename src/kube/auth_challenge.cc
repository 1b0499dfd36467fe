#include "kube/auth_challenge.h"

#include <utility>

#include "kube/client.h"
#include "net/http_text.h"

namespace tiphys::kube {
namespace {

/// Reads words and quoted strings from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  [[nodiscard]] bool is_at_end() const { return rest_.empty(); }
  void skip(std::string_view these) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(these), rest_.size()));
  }
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    const std::string_view found = rest_.substr(0, rest_.find_first_of(" \t,=\""));
    rest_.remove_prefix(found.size());
    return found;
  }
  /// What follows an opening quote, which has been taken.
  std::string quoted() {
    std::string text;
    while (!rest_.empty() && !take('"')) {
      if (take('\\') && rest_.empty()) break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return text;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string_view AuthChallenge::parameter(std::string_view name) const {
  const auto it = parameters.find(name);
  return it == parameters.end() ? std::string_view() : it->second;
}

std::vector<AuthChallenge> parse_challenges(std::string_view header) {
  std::vector<AuthChallenge> all;
  Reader reader(header);
  for (;;) {
    reader.skip(" \t,");
    if (reader.is_at_end()) return all;
    const std::string_view word = reader.word();
    reader.skip(" \t");
    if (!reader.take('=')) {
      if (word.empty()) {
        reader.take('"');  // a quote where none can be
      } else {
        all.push_back({.scheme = net::lower(word), .parameters = {}});
      }
      continue;
    }
    reader.skip(" \t");
    std::string text = reader.take('"') ? reader.quoted() : std::string(reader.word());
    if (!all.empty()) all.back().parameters.insert_or_assign(net::lower(word), std::move(text));
  }
}

std::string token_url(const AuthChallenge& challenge, std::string_view scope) {
  std::string url(challenge.parameter("realm"));
  const auto add = [&url](std::string_view name, std::string_view text) {
    if (text.empty()) return;
    url += url.find('?') == std::string::npos ? '?' : '&';
    url.append(name).append("=").append(net::uri_encoded(text));
  };
  add("service", challenge.parameter("service"));
  const std::string_view named = challenge.parameter("scope");
  add("scope", named.empty() ? scope : named);
  return url;
}

}  // namespace tiphys::kube
