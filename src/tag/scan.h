// Finds the pieces of a text with tags: where literal text ends and where a tag begins.
//
// As Argo's template library sees it: a tag goes from "{{" to the first "}}", whatever stands
// between. Pure. Views point into the text that was given.
#pragma once

#include <optional>
#include <string_view>

namespace tiphys::tag {

/// A tag with what stands in front of it.
struct Piece {
  std::string_view literal;  // the text before "{{"
  std::string_view inside;   // between "{{" and "}}", untrimmed
  bool closed = true;        // false: no "}}" follows, `inside` is the rest of the text
};

/// Takes the next tag, with the text before it, off the front of `rest`; nullopt (and `rest` as it
/// was) without "{{".
[[nodiscard]] std::optional<Piece> next_piece(std::string_view& rest);

/// White space as Go's strings.TrimSpace knows it; `document`: the text is JSON, where control
/// characters and U+2028/9 stand escaped. In plain text (`document` false) those are kept, so that
/// both views of a tag agree.
[[nodiscard]] std::string_view trim(std::string_view text, bool document);

}  // namespace tiphys::tag
