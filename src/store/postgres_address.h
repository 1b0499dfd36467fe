// The address of a PostgreSQL store, and how it is shown: never with its password.
//
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::store {

/// Whether `where` is an address (postgresql://, postgres://) and not the path of a file.
[[nodiscard]] bool is_postgres_address(std::string_view where);
/// It without its password and parameters, for messages: `postgresql://user@host:5432/name`.
[[nodiscard]] std::string shown_address(std::string_view url);
/// The same of an address; a path as it is.
[[nodiscard]] std::string shown_address_or_path(const std::string& where);
/// The passwords in it, as they are written and decoded.
[[nodiscard]] std::vector<std::string> passwords_in(std::string_view url);
/// `text` in one line, each password in it replaced by `***`.
[[nodiscard]] std::string without_passwords(std::string text,
                                            const std::vector<std::string>& passwords);

}  // namespace tiphys::store
