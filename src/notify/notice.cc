#include "notify/notice.h"

namespace tiphys::notify {

DefaultMessage default_message(const Notice& notice) {
  const value::Value& workflow = notice.event["workflow"];
  DefaultMessage m;
  m.title = workflow["name"].string_or("");
  m.link = workflow["url"].string_or("");
  return m;
}

}  // namespace tiphys::notify
