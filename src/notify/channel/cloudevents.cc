#include <algorithm>

#include <fmt/format.h>

#include "clock/rfc3339.h"
#include "net/http_text.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/channel/signed_headers.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},
    {"mode", FieldKind::kPlain, false, "binary structured"},
    {"source", FieldKind::kPlain},
    {"typePrefix", FieldKind::kPlain},
    {"headers", FieldKind::kTextMap},
    {"signingSecrets", FieldKind::kSecrets},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {
    {"type", FieldKind::kPlain},
    {"subject", FieldKind::kPlain},
    {"data", FieldKind::kAny},
    {"extensions", FieldKind::kTextMap},
};

using Attributes = std::vector<std::pair<std::string, std::string>>;

// CloudEvents 1.0, section 3: names of lower-case letters and digits, at most 20 of them as wished.
bool is_extension_name(std::string_view name) {
  constexpr std::string_view kOfTheSpecification[] = {
      "id",   "source",          "specversion", "type", "subject",
      "time", "datacontenttype", "dataschema",  "data"};
  return !name.empty() && name.size() <= 20 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  }) && std::ranges::find(kOfTheSpecification, name) == std::end(kOfTheSpecification);
}

// CloudEvents' HTTP binding, section 3.1.3.2: what no header can hold, and `"` and `%`, as %XX.
std::string header_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F && c != '"' && c != '%') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", byte);
    }
  }
  return out;
}

std::string source_of(const Draft& draft) {
  if (std::string own = text_in(draft.config, "source"); !own.empty()) return own;
  const value::Value& workflow = draft.notice.event["workflow"];
  return fmt::format("/tiphys/{}/{}", net::uri_encoded(plain_text(workflow["namespace"])),
                     net::uri_encoded(plain_text(workflow["name"])));
}

diag::Result<Attributes> attributes_of(const Draft& draft) {
  const value::Value& event = draft.notice.event;
  const std::string prefix = text_in(draft.config, "typePrefix");
  std::string type = text_in(draft.message, "type");
  if (type.empty()) type = (prefix.empty() ? "dev.tiphys." : prefix) + plain_text(event["type"]);
  std::string subject = text_in(draft.message, "subject");
  if (subject.empty()) subject = plain_text(event["node"]["displayName"]);
  if (subject.empty()) subject = plain_text(event["workflow"]["name"]);
  Attributes out = {{"specversion", "1.0"},
                    {"id", draft.notice.id},
                    {"source", source_of(draft)},
                    {"type", clean_line(type)}};
  if (subject = clean_line(subject); !subject.empty()) out.emplace_back("subject", subject);
  out.emplace_back("time", clock::rfc3339(draft.notice.at));
  for (const auto& [name, text] : draft.message["extensions"].map()) {
    if (!is_extension_name(name)) {
      return refuse(
          fmt::format("message.extensions: \"{}\": want 1 to 20 lower-case letters and "
                      "digits, and no name of CloudEvents' own",
                      clean_line(name)));
    }
    out.emplace_back(name, clean_line(plain_text(text)));
  }
  return out;
}

value::Value data_of(const Draft& draft) {
  if (!draft.message["data"].is_null()) return draft.message["data"];
  value::Map out = draft.notice.event.map();
  if (value::Value own = own_words(draft); !own.is_null()) out.set("message", std::move(own));
  return out;
}

class CloudEvents final : public FieldChannel {
 public:
  CloudEvents() : FieldChannel(kConfig, kMessage) {}

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    TRY(const Attributes attributes, attributes_of(draft));
    HttpRequest out = json_post(draft.config, text_in(draft.config, "url"), "");
    TRY_VOID(add_headers(draft.config["headers"], out));
    const bool is_structured = text_in(draft.config, "mode") == "structured";
    const std::string_view type =
        is_structured ? "application/cloudevents+json; charset=utf-8" : "application/json";
    TRY_VOID(add_headers(value::Map{{"Content-Type", type}}, out));
    if (is_structured) {
      value::Map envelope;
      for (const auto& [name, text] : attributes) envelope.set(name, text);
      envelope.set("datacontenttype", "application/json");
      envelope.set("data", data_of(draft));
      out.body = json_body(envelope);
    } else {
      for (const auto& [name, text] : attributes) {
        out.headers.emplace_back("ce-" + name, header_text(text));
      }
      out.body = json_body(data_of(draft));
    }
    TRY_VOID(sign(draft, out));
    return out;
  }
};

}  // namespace

const Channel& cloudevents_channel() {
  static const CloudEvents channel;
  return channel;
}

}  // namespace tiphys::notify
