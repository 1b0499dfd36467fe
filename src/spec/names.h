// Which names are allowed: Kubernetes' rules for objects and labels, Argo's for templates, steps
// and parameters.
//
// Each function gives the list of what is wrong, in the words of kubectl and argo lint; an empty
// list means valid. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tiphys::spec {

using NameErrors = std::vector<std::string>;

/// Names of workflows and other objects: RFC 1123 subdomain, 253 bytes at most.
[[nodiscard]] NameErrors check_dns1123_subdomain(std::string_view name);
/// RFC 1123 label, 63 bytes at most.
[[nodiscard]] NameErrors check_dns1123_label(std::string_view name);
/// Value of a label.
[[nodiscard]] NameErrors check_label_value(std::string_view value);
/// Key of a label or annotation: `name` or `prefix/name`.
[[nodiscard]] NameErrors check_qualified_name(std::string_view name);
/// Parameters and artifacts.
[[nodiscard]] NameErrors check_parameter_name(std::string_view name);
/// Templates, tasks, hooks, volumes: Argo's "workflow field names".
[[nodiscard]] NameErrors check_field_name(std::string_view name);
/// Steps: as check_field_name(), but stand-ins for values that are not known yet are passed over.
[[nodiscard]] NameErrors check_step_name(std::string_view name);

}  // namespace tiphys::spec
