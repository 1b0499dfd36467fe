#include "spec/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::spec {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_lower_alnum(char c) { return is_digit(c) || is_lower(c); }

/// Not empty, all characters are `ends` or of `inner`, the first and last are `ends`.
bool is_word(std::string_view text, bool (*ends)(char), std::string_view inner) {
  if (text.empty() || !ends(text.front()) || !ends(text.back())) return false;
  return std::ranges::all_of(
      text, [&](char c) { return ends(c) || inner.find(c) != std::string_view::npos; });
}

bool is_dns_label(std::string_view text) { return is_word(text, is_lower_alnum, "-"); }
bool is_label_name(std::string_view text) { return is_word(text, is_alnum, "-_."); }

bool is_subdomain(std::string_view text) {
  while (true) {
    const auto dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

bool is_field(std::string_view text) {
  if (text.empty() || !is_alnum(text.front())) return false;
  return std::ranges::all_of(text, [](char c) { return is_alnum(c) || c == '-'; });
}

constexpr std::string_view kSubdomainRule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    R"(for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*'))";
constexpr std::string_view kLabelRule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view kValueRule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
    "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
    "'12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
constexpr std::string_view kNameRule =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation "
    "is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'";
constexpr std::string_view kParameterRule =
    "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' e.g. "
    "my_param_1, MY-PARAM-1";
constexpr std::string_view kFieldRule =
    "name must consist of alpha-numeric characters or '-', and must start with an alpha-numeric "
    "character (e.g. My-name1-2, 123-NAME)";
constexpr std::string_view kPlaceholder = "__argo__internal__placeholder-";

}  // namespace

NameErrors check_dns1123_subdomain(std::string_view name) {
  NameErrors errors;
  if (name.size() > 253) errors.emplace_back("must be no more than 253 characters");
  if (!is_subdomain(name)) errors.emplace_back(kSubdomainRule);
  return errors;
}

NameErrors check_dns1123_label(std::string_view name) {
  NameErrors errors;
  if (name.size() > 63) errors.emplace_back("must be no more than 63 characters");
  if (is_dns_label(name)) return errors;
  errors.emplace_back(is_subdomain(name) ? "must not contain dots" : kLabelRule);
  return errors;
}

NameErrors check_label_value(std::string_view value) {
  NameErrors errors;
  if (value.size() > 63) errors.emplace_back("must be no more than 63 bytes");
  if (!value.empty() && !is_label_name(value)) errors.emplace_back(kValueRule);
  return errors;
}

NameErrors check_qualified_name(std::string_view name) {
  NameErrors errors;
  std::string_view local = name;
  if (const auto slash = name.find('/'); slash != std::string_view::npos) {
    const std::string_view prefix = name.substr(0, slash);
    local = name.substr(slash + 1);
    if (local.find('/') != std::string_view::npos) {
      return {
          fmt::format("a valid label key {}) with an optional DNS subdomain prefix and "
                      "'/' (e.g. 'example.com/MyName')",
                      kNameRule)};
    }
    if (prefix.empty()) {
      errors.emplace_back("prefix part must be non-empty");
    } else {
      for (const std::string& e : check_dns1123_subdomain(prefix)) {
        errors.push_back("prefix part " + e);
      }
    }
  }
  if (local.empty()) {
    errors.emplace_back("name part must be non-empty");
  } else if (local.size() > 63) {
    errors.emplace_back("name part must be no more than 63 bytes");
  }
  if (!is_label_name(local)) errors.push_back(fmt::format("name part {})", kNameRule));
  return errors;
}

NameErrors check_parameter_name(std::string_view name) {
  const bool good = !name.empty() && std::ranges::all_of(name, [](char c) {
    return is_alnum(c) || c == '-' || c == '_';
  });
  if (good) return {};
  return {std::string(kParameterRule)};
}

NameErrors check_field_name(std::string_view name) {
  NameErrors errors;
  if (name.size() > 128) errors.emplace_back("must be no more than 128 characters");
  if (!is_field(name)) errors.emplace_back(kFieldRule);
  return errors;
}

NameErrors check_step_name(std::string_view name) {
  std::string known;
  while (true) {
    const auto at = name.find(kPlaceholder);
    if (at == std::string_view::npos) break;
    std::string_view rest = name.substr(at + kPlaceholder.size());
    const auto digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    known += name.substr(0, at);
    // Without a number it is an ordinary part of the name, and a bad one.
    known += digits > 0 ? std::string_view("x") : kPlaceholder;
    name = rest.substr(digits);
  }
  known += name;
  return check_field_name(known);
}

}  // namespace tiphys::spec
