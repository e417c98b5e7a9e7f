#include "discovery/target_groups.h"

#include <map>
#include <utility>

#include "config/decoder.h"
#include "config/yaml.h"
#include "json/reader.h"

namespace gauntlet::discovery {
namespace {

Status WrongGroup(size_t index, std::string_view what) {
  return {Code::kInvalid, "target group " + std::to_string(index) + ": " + std::string(what)};
}

Status ReadJsonTargets(json::Value value, size_t index, TargetGroup* group) {
  if (value.is_null()) return Status();
  if (!value.is_array()) return WrongGroup(index, "targets are not a list");
  for (size_t i = 0; i < value.size(); ++i) {
    auto target = value[i].String();
    if (!target) return WrongGroup(index, "a target is not a string");
    group->targets.emplace_back(*target);
  }
  return Status();
}

Status ReadJsonLabels(json::Value value, size_t index, TargetGroup* group) {
  if (value.is_null()) return Status();
  if (!value.is_object()) return WrongGroup(index, "labels are not an object");
  for (size_t i = 0; i < value.size(); ++i) {
    auto label = value[i].String();
    if (!label) return WrongGroup(index, "label " + std::string(value.key(i)) + " is not a string");
    group->labels.emplace_back(value.key(i), *label);
  }
  return Status();
}

std::string SourceName(const std::string& path, size_t index) { return path + ":" + std::to_string(index); }

}  // namespace

Result<std::vector<TargetGroup>> ParseTargetGroupsJson(std::string_view text, const std::string& path) {
  GN_ASSIGN(auto document, json::Document::Parse(text));
  json::Value root = document.root();
  std::vector<TargetGroup> groups;
  if (root.is_null()) return groups;
  if (!root.is_array()) return Status(Code::kInvalid, "not a list of target groups");
  for (size_t i = 0; i < root.size(); ++i) {
    if (!root[i].is_object()) return WrongGroup(i, "not an object");
    TargetGroup group{.source = SourceName(path, i)};
    for (size_t member = 0; member < root[i].size(); ++member) {
      std::string_view key = root[i].key(member);
      if (key == "targets") {
        GN_TRY(ReadJsonTargets(root[i][member], i, &group));
      } else if (key == "labels") {
        GN_TRY(ReadJsonLabels(root[i][member], i, &group));
      } else {
        return WrongGroup(i, "unknown field \"" + std::string(key) + "\"");
      }
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<TargetGroup>> ParseTargetGroupsYaml(std::string_view text, const std::string& path) {
  GN_ASSIGN(auto root, config::ParseYaml(text));
  std::vector<TargetGroup> groups;
  if (root->is_null()) return groups;
  if (root->kind() != config::Node::Kind::kSequence) return Status(Code::kInvalid, "not a list of target groups");
  for (size_t i = 0; i < root->items().size(); ++i) {
    const config::Node& item = *root->items()[i];
    if (item.is_null()) return WrongGroup(i, "empty");
    TargetGroup group{.source = SourceName(path, i)};
    std::map<std::string, std::string> labels;
    GN_TRY(config::DecodeNode(item, "targetgroup.Group", [&](config::Decoder& decoder) {
      decoder.Field("targets", &group.targets);
      decoder.Field("labels", &labels);
    }));
    group.labels.assign(labels.begin(), labels.end());
    groups.push_back(std::move(group));
  }
  return groups;
}

Result<std::vector<TargetGroup>> ParseTargetGroups(std::string_view text, const std::string& path) {
  for (std::string_view end : {".json", ".JSON"}) {
    if (path.ends_with(end)) return ParseTargetGroupsJson(text, path);
  }
  for (std::string_view end : {".yml", ".yaml", ".YML", ".YAML"}) {
    if (path.ends_with(end)) return ParseTargetGroupsYaml(text, path);
  }
  return Status(Code::kInvalid, "not a .json, .yml or .yaml file");
}

}  // namespace gauntlet::discovery
