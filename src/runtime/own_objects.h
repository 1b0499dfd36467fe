// The kinds that this engine has itself, as an API server would serve them: Argo's Workflows and
// templates, and ConfigMaps. For resource templates that name them.
//
// With a store of its own, opened at the first request; one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kube/resource_executor.h"
#include "runtime/config.h"
#include "runtime/object_requests.h"
#include "store/store.h"

namespace tiphys::runtime {

class OwnObjects {
 public:
  /// `on_created` is told the uid of a workflow that was created.
  OwnObjects(const Config& config, std::function<void(const std::string& uid)> on_created)
      : config_(config), on_created_(std::move(on_created)) {}

  /// Status and object, or Kubernetes' Status object.
  [[nodiscard]] kube::Answer answer(const kube::Request& request);

  [[nodiscard]] bool own(const kube::OwnedObject& object);
  [[nodiscard]] std::vector<kube::OwnedObject> orphans();
  void disown(const kube::OwnedObject& object);

 private:
  [[nodiscard]] diag::Result<void> open();
  [[nodiscard]] diag::Result<value::Value> serve(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> found(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> listed(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> created(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> changed(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> removed(const ObjectRequest& r);
  [[nodiscard]] diag::Result<value::Value> put(const ObjectRequest& r, const value::Value& object,
                                               bool is_new);
  [[nodiscard]] diag::Result<value::Value> submitted(const ObjectRequest& r,
                                                     const value::Value& object);
  [[nodiscard]] diag::Result<value::Value> steered(const ObjectRequest& r,
                                                   const value::Value& before,
                                                   const value::Value& after);
  [[nodiscard]] diag::Result<void> command(const store::WorkflowRow& row, const std::string& verb,
                                           const value::Value& arguments);
  void remove_doomed();
  /// As it stands; nullopt when that cannot be known, a row without a uid when it is gone.
  [[nodiscard]] std::optional<store::WorkflowRow> row_of(const std::string& uid,
                                                         const std::string& name_space,
                                                         const std::string& name);

  const Config& config_;
  const std::function<void(const std::string& uid)> on_created_;
  std::unique_ptr<store::Store> store_;
  std::vector<store::WorkflowRow> doomed_;  // workflows that go when they have ended
};

}  // namespace tiphys::runtime
