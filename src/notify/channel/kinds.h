// The channels, one for each kind of destination; each is in the file of its name.
//
// Fields in configurations: those that hold secrets may be {secretKeyRef: {name, key}}; all that
// send HTTP know `insecureSkipVerify`. docs/NOTIFICATIONS-CHANNELS.md lists them with a sample of
// each. Pure, without state.
#pragma once

#include "notify/channel.h"

namespace tiphys::notify {

/// Any HTTP endpoint: the event as JSON, signed as Standard Webhooks want it, or the user's body.
[[nodiscard]] const Channel& webhook_channel();
/// CloudEvents 1.0 over HTTP, binary or structured.
[[nodiscard]] const Channel& cloudevents_channel();
/// SMTP. Plain text and HTML, logs attached; each recipient is a destination.
[[nodiscard]] const Channel& email_channel();
/// A program of this machine: event in its input, what matters in its environment. Exit code 0 is
/// delivered; 64 (usage), 65 (data), 77 (permission), 78 (configuration), 126 and 127 (cannot be
/// run) are refused, others retried.
[[nodiscard]] const Channel& command_channel();
/// Incoming webhook, or a bot's token: then a thread for each workflow, or one message that is
/// updated in place.
[[nodiscard]] const Channel& slack_channel();
/// WeChat Work (WeCom) group robot.
[[nodiscard]] const Channel& wecom_channel();
/// DingTalk group robot, signed when it has a secret.
[[nodiscard]] const Channel& dingtalk_channel();
/// Feishu custom bot, signed when it has a secret; Lark is the same outside of China.
[[nodiscard]] const Channel& feishu_channel();
/// Microsoft Teams: an Adaptive Card for the webhook of a workflow of Power Automate.
[[nodiscard]] const Channel& teams_channel();
/// Discord webhook: an embed.
[[nodiscard]] const Channel& discord_channel();
/// Telegram bot; each chat is a destination.
[[nodiscard]] const Channel& telegram_channel();
/// PagerDuty Events API v2: failures trigger an incident, a success resolves it.
[[nodiscard]] const Channel& pagerduty_channel();
/// The status of a commit on GitHub.
[[nodiscard]] const Channel& github_channel();
/// Mattermost incoming webhook.
[[nodiscard]] const Channel& mattermost_channel();
/// ntfy.sh or a server of one's own.
[[nodiscard]] const Channel& ntfy_channel();

}  // namespace tiphys::notify
