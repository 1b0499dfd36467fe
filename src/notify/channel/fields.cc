#include "notify/channel/fields.h"

#include <algorithm>

#include <fmt/format.h>

#include "notify/message_text.h"
#include "spec/schema.h"
#include "value/json.h"

namespace tiphys::notify {

namespace {

using value::Value;

constexpr std::string_view kSeparators = ", ;\t\r\n";
// What every kind has in its configuration; outbox.h has their meaning.
constexpr std::string_view kCommonFields[] = {"kind"};

bool is_secret(const Value& v) {
  const Value& ref = v["secretKeyRef"];
  return v.map().size() == 1 && !ref["name"].string_or("").empty() &&
         !ref["key"].string_or("").empty();
}

bool is_scalar(const Value& v) { return v.is_string() || v.is_int() || v.is_float(); }

bool is_bool(const Value& v) {
  const std::string_view text = v.string_or("");
  return v.is_bool() || text == "true" || text == "false";
}

bool is_text(const Value& v) { return is_scalar(v) || is_secret(v); }

// Why `v` is no value of this kind; empty if it is one.
std::string wrong_kind(const Value& v, FieldKind kind) {
  constexpr std::string_view kWantText = "want a text or {secretKeyRef: {name, key}}";
  const auto all_texts = [](const auto& items) {
    return std::ranges::all_of(items, [](const Value& item) { return is_text(item); });
  };
  switch (kind) {
    case FieldKind::kText:
      return is_text(v) ? "" : std::string(kWantText);
    case FieldKind::kUrl:
      if (!is_text(v)) return std::string(kWantText);
      return is_secret(v) || is_http_url(plain_text(v)) ? "" : "want a URL, http:// or https://";
    case FieldKind::kPlain:
      return is_scalar(v) ? "" : "want a text, not a secret";
    case FieldKind::kBool:
      return is_bool(v) ? "" : "want true or false";
    case FieldKind::kTexts:
      return is_scalar(v) || (v.is_list() && std::ranges::all_of(v.list(), is_scalar))
                 ? ""
                 : "want a list of texts, or one text with commas between";
    case FieldKind::kSecrets:
      return is_text(v) || (v.is_list() && all_texts(v.list())) ? ""
                                                                : "want a text or a list of texts";
    case FieldKind::kTextMap:
      return v.is_map() &&
                     std::ranges::all_of(v.map(), [](const auto& e) { return is_text(e.second); })
                 ? ""
                 : "want names with a text each";
    case FieldKind::kList:
      return v.is_list() ? "" : "want a list";
    case FieldKind::kMap:
      return v.is_map() ? "" : "want a map";
    case FieldKind::kAny:
      return "";
  }
  return "";
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void keep_first_of_each(std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::string& word : words) {
    if (!word.empty() && std::ranges::find(out, word) == out.end()) out.push_back(std::move(word));
  }
  words = std::move(out);
}

void check_known(const Value& v, std::span<const Field> fields, std::vector<std::string>& out) {
  std::vector<std::string_view> names;
  for (const Field& f : fields) names.push_back(f.name);
  for (const auto& entry : v.map()) {
    if (std::ranges::find(names, entry.first) != names.end()) continue;
    if (std::ranges::find(kCommonFields, entry.first) != std::end(kCommonFields)) continue;
    const std::string near = spec::nearest_name(entry.first, names);
    out.push_back(near.empty()
                      ? fmt::format("{}: unknown field", entry.first)
                      : fmt::format("{}: unknown field; did you mean \"{}\"?", entry.first, near));
  }
}

}  // namespace

Value settled_fields(const Value& v, std::span<const Field> fields) {
  if (!v.is_map()) return v;
  value::Map out;
  for (const auto& [name, given] : v.map()) {
    if (given.is_string() && given.as_string().empty()) continue;
    const auto field = std::ranges::find(fields, name, &Field::name);
    const bool is_structure = field != fields.end() &&
                              (field->kind == FieldKind::kList || field->kind == FieldKind::kMap ||
                               field->kind == FieldKind::kTextMap);
    if (is_structure && given.is_string()) {
      auto parsed = value::parse_json(given.as_string());
      out.set(name, parsed ? *parsed : given);
    } else {
      out.set(name, given);
    }
  }
  return out;
}

std::vector<std::string> check_fields(const Value& v, std::span<const Field> fields,
                                      Unknown unknown) {
  std::vector<std::string> out;
  for (const Field& f : fields) {
    const Value& given = v[f.name];
    if (given.is_null() || (given.is_string() && given.as_string().empty())) {
      if (f.is_required) out.push_back(fmt::format("{}: required", f.name));
      continue;
    }
    if (const std::string why = wrong_kind(given, f.kind); !why.empty()) {
      out.push_back(fmt::format("{}: {}", f.name, why));
      continue;
    }
    if (f.choices.empty() || !is_scalar(given)) continue;
    const std::vector<std::string> choices = split(f.choices);
    if (std::ranges::find(choices, plain_text(given)) == choices.end()) {
      out.push_back(fmt::format("{}: want one of {}", f.name, fmt::join(choices, ", ")));
    }
  }
  if (unknown == Unknown::kRefused) check_known(v, fields, out);
  return out;
}

std::string text_in(const Value& v, std::string_view name) {
  const Value& given = v[name];
  return is_scalar(given) ? plain_text(given) : "";
}

const Value& either(const Value& message, const Value& config, std::string_view name) {
  const Value& own = message[name];
  const bool is_given = !own.is_null() && !(own.is_string() && own.as_string().empty());
  return is_given ? own : config[name];
}

bool flag_in(const Value& v, std::string_view name, bool otherwise) {
  const Value& given = v[name];
  if (given.is_string()) return given.as_string() == "true";
  return given.bool_or(otherwise);
}

std::vector<std::string> words_in(const Value& field) {
  std::vector<std::string> out;
  if (field.is_list()) {
    for (const Value& item : field.list()) {
      for (std::string& word : split(plain_text(item))) out.push_back(std::move(word));
    }
  } else if (is_scalar(field)) {
    out = split(plain_text(field));
  }
  keep_first_of_each(out);
  return out;
}

std::vector<std::string> texts_in(const Value& field) {
  std::vector<std::string> out;
  for (const Value& item : field.list()) {
    if (is_scalar(item)) out.push_back(plain_text(item));
  }
  if (is_scalar(field)) out.push_back(plain_text(field));
  keep_first_of_each(out);
  return out;
}

bool is_http_url(std::string_view url) {
  std::string scheme(url.substr(0, 8));
  std::ranges::transform(scheme, scheme.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  const std::size_t start = scheme.starts_with("https://")  ? 8
                            : scheme.starts_with("http://") ? 7
                                                            : 0;
  if (start == 0 || url.size() == start) return false;
  if (std::string_view("/?#:@").find(url[start]) != std::string_view::npos) return false;
  return std::ranges::all_of(url, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7F && c != '\\' && c != '"' && c != '<' && c != '>';
  });
}

bool is_header_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
  });
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

}  // namespace tiphys::notify
