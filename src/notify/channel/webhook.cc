#include "clock/rfc3339.h"
#include "notify/channel/field_channel.h"
#include "notify/channel/kinds.h"
#include "notify/channel/signed_headers.h"

namespace tiphys::notify {

namespace {

constexpr Field kConfig[] = {
    {"url", FieldKind::kUrl, true},
    {"method", FieldKind::kPlain, false, "POST PUT PATCH DELETE GET"},
    {"headers", FieldKind::kTextMap},
    {"signingSecrets", FieldKind::kSecrets},
    {"insecureSkipVerify", FieldKind::kBool},
};
constexpr Field kMessage[] = {{"body", FieldKind::kAny}, {"headers", FieldKind::kTextMap}};

// Standard Webhooks' form of a payload.
value::Value default_body(const Draft& draft) {
  const Notice& notice = draft.notice;
  value::Map data = notice.event.map();
  data.erase("type");
  if (value::Value own = own_words(draft); !own.is_null()) data.set("message", std::move(own));
  return value::Map{{"type", notice.event["type"]},
                    {"timestamp", clock::rfc3339(notice.at)},
                    {"data", std::move(data)}};
}

class Webhook final : public FieldChannel {
 public:
  Webhook() : FieldChannel(kConfig, kMessage) {}

 private:
  [[nodiscard]] diag::Result<Request> make(const Draft& draft) const override {
    const value::Value& own = draft.message["body"];
    std::string body = own.is_string()  ? own.as_string()
                       : !own.is_null() ? json_body(own)
                                        : json_body(default_body(draft));
    HttpRequest out = json_post(draft.config, text_in(draft.config, "url"), std::move(body));
    if (const std::string method = text_in(draft.config, "method"); !method.empty()) {
      out.method = method;
    }
    TRY_VOID(add_headers(draft.config["headers"], out));
    TRY_VOID(add_headers(draft.message["headers"], out));
    TRY_VOID(sign(draft, out));
    return out;
  }
};

}  // namespace

const Channel& webhook_channel() {
  static const Webhook channel;
  return channel;
}

}  // namespace tiphys::notify
