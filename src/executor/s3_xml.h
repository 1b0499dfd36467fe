// The little XML that S3 servers speak: texts of elements by their name.
//
// Pure. Names that S3 uses do not nest in themselves, so no tree is made.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::executor {

/// The text of the first element of this name, its entities resolved; "" if there is none.
[[nodiscard]] std::string xml_text(std::string_view xml, std::string_view name);

/// The texts of all of them, in order.
[[nodiscard]] std::vector<std::string> xml_texts(std::string_view xml, std::string_view name);

/// `text` as the text of an element.
[[nodiscard]] std::string xml_escaped(std::string_view text);

}  // namespace tiphys::executor
