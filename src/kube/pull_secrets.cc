#include "kube/pull_secrets.h"

#include <memory>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "expr/base64.h"
#include "net/http_text.h"
#include "value/json.h"

namespace tiphys::kube {
namespace {

using value::Value;

void add_names(const Value& references, std::set<std::string>& names) {
  for (const Value& reference : references.list()) {
    if (const std::string_view name = reference["name"].string_or(""); !name.empty()) {
      names.emplace(name);
    }
  }
}

constexpr const char* kKeys[] = {".dockerconfigjson", ".dockercfg"};

/// Asks for the service account, then for all secrets; lives until the last answer. Its functions
/// are called in the client's thread.
class Fetch : public std::enable_shared_from_this<Fetch> {
 public:
  Fetch(Client& client, executor::Lookup lookup, std::string name_space,
        std::set<std::string> names, PullSecrets::Give give)
      : client_(client),
        lookup_(std::move(lookup)),
        name_space_(std::move(name_space)),
        folder_(fmt::format("/api/v1/namespaces/{}", net::uri_encoded(name_space_))),
        names_(std::move(names)),
        give_(std::move(give)) {}

  void begin(const std::string& account) {
    client_.send({.path = fmt::format("{}/serviceaccounts/{}", folder_, net::uri_encoded(account))},
                 [self = shared_from_this()](const Answer& answer) { self->take_account(answer); });
  }

 private:
  void take_account(const Answer& answer) {
    const auto account = value::parse_json(answer.body);
    if (answer.ok() && account) add_names((*account)["imagePullSecrets"], names_);
    std::erase_if(names_, [this](const std::string& name) { return is_our_own(name); });
    left_ = names_.size();
    if (left_ == 0) return give_(std::move(texts_));
    for (const std::string& name : names_) {
      client_.send({.path = fmt::format("{}/secrets/{}", folder_, net::uri_encoded(name))},
                   [self = shared_from_this()](const Answer& a) { self->take_secret(a); });
    }
  }

  bool is_our_own(const std::string& name) {
    if (!lookup_.secret) return false;
    for (const char* key : kKeys) {
      auto text = lookup_.secret(name_space_, name, key);
      if (!text) continue;
      texts_.push_back(std::move(*text));
      return true;
    }
    return false;
  }

  void take_secret(const Answer& answer) {
    const auto secret = value::parse_json(answer.body);
    if (answer.ok() && secret) {
      for (const char* key : kKeys) {
        auto text = expr::base64_decode((*secret)["data"][key].string_or(""));
        if (text && !text->empty()) texts_.push_back(std::move(*text));
      }
    }
    if (--left_ == 0) give_(std::move(texts_));
  }

  Client& client_;
  const executor::Lookup lookup_;
  const std::string name_space_;
  const std::string folder_;  // the namespace's, of the API
  std::set<std::string> names_;
  const PullSecrets::Give give_;
  std::size_t left_ = 0;
  std::vector<std::string> texts_;
};

}  // namespace

PullSecrets pull_secrets_of(const executor::Task& task, Client& client,
                            const executor::Lookup& lookup) {
  std::set<std::string> names;
  add_names(task.workflow_spec["imagePullSecrets"], names);
  const Value& own = task.template_body["serviceAccountName"];
  const Value& account = own.is_null() ? task.workflow_spec["serviceAccountName"] : own;
  std::string user(account.string_or(""));
  if (user.empty()) user = "default";
  return {
      .scope = fmt::format("{}/{}/{}", task.name_space, user, fmt::join(names, ",")),
      .fetch = [&client, lookup, name_space = task.name_space, names,
                user](PullSecrets::Give give) {
        std::make_shared<Fetch>(client, lookup, name_space, names, std::move(give))->begin(user);
      }};
}

}  // namespace tiphys::kube
