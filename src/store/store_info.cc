#include "store/store_info.h"

#include <utility>

namespace gauntlet::store {

net::GrpcStatus StoreInfoService::GetInfo(rpc::Info* info, const rpc::CallContext&) {
  info->component = "store";
  rpc::StoreInfo store = store_.info();
  for (const rpc::TsdbInfo& tsdb : store.tsdbs) info->label_sets.push_back(tsdb.labels);
  info->store = std::move(store);
  return {};
}

}  // namespace gauntlet::store
