// Requests for one kind of objects, as Kubernetes' API has them, and its answers. Pure.
#pragma once

#include <string>
#include <string_view>

#include "diag/error.h"
#include "kube/client.h"
#include "resource/object_type.h"
#include "value/value.h"

namespace tiphys::runtime {

struct ObjectRequest {
  std::string method;
  resource::ObjectType type = {};
  std::string name_space = {};
  std::string name = {};      // "": all of them, or a new one
  std::string selector = {};  // of labels
  bool is_dry = false;
  value::Value body = {};
  std::string body_type = {};
};

/// Errors: kNotFound when no kind of the engine's own is there, kInvalidManifest for a body that
/// cannot be read.
[[nodiscard]] diag::Result<ObjectRequest> parse_request(const kube::Request& request);

/// The answer with an object, or with Kubernetes' Status for an error.
[[nodiscard]] kube::Answer answer_of(const ObjectRequest& request,
                                     const diag::Result<value::Value>& result);

/// `before` as the request changes it: a PUT, a merge patch, a JSON patch or an apply. Errors:
/// kInvalidManifest.
[[nodiscard]] diag::Result<value::Value> patched(const ObjectRequest& request,
                                                 const value::Value& before);

}  // namespace tiphys::runtime
