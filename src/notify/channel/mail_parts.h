// The body of a mail: plain text and HTML of the same words, and what is attached. Pure.
#pragma once

#include <string>
#include <vector>

#include "diag/error.h"
#include "notify/channel.h"
#include "notify/message_text.h"

namespace tiphys::notify {

struct Attachment {
  std::string name;
  std::string type;  // application/octet-stream ...
  std::string bytes;
};

/// What the message attaches: `attachments` of the message, `[{name, text or base64,
/// contentType}]`; with `has_logs`, the logs of the failed steps as NAME.log. Errors:
/// kInvalidManifest (neither or both of text and base64, more than 10 MiB together).
[[nodiscard]] diag::Result<std::vector<Attachment>> attachments_of(const Draft& draft,
                                                                   bool has_logs);

/// Content-Type, an empty line and the parts, in lines that end in CRLF. `own_html` may be empty.
[[nodiscard]] std::string mail_content(const Words& words, std::string_view own_html,
                                       const std::vector<Attachment>& attachments);

}  // namespace tiphys::notify
