// The small texts of HTTP that every client of it reads or writes: lines of headers, parts of URLs.
//
// Pure; requests themselves are libcurl's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tiphys::net {

/// `text` as URLs hold it: all but letters, digits and `-._~` as %XX; `/` is kept if wanted.
[[nodiscard]] std::string uri_encoded(std::string_view text, bool keeps_slashes = false);

/// The text that such a part of a URL stands for; a `%` without two digits stands for itself.
[[nodiscard]] std::string uri_decoded(std::string_view text);

/// ASCII letters in lower case; names of headers have no others.
[[nodiscard]] std::string lower(std::string_view text);

/// The status of a line that begins an answer (`HTTP/1.1 200 OK`; 0 when it has none); nullopt for
/// any other line.
[[nodiscard]] std::optional<int> status_in(std::string_view line);

/// What a header's line has after `name`, which is in lower case, without blanks and the line's
/// end around it; nullopt for another header. Lives as long as the line.
[[nodiscard]] std::optional<std::string_view> header_value(std::string_view line,
                                                           std::string_view name);

}  // namespace tiphys::net
