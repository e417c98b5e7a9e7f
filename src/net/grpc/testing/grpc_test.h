// What the gRPC tests share: a server with a few methods, and a channel to it. Test code only.

#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/mutex.h"
#include "net/grpc/grpc.h"

namespace gauntlet::net {

// Counts up; tests wait for a number to be reached.
class Tally {
 public:
  void Add() {
    MutexLock lock(mutex_);
    ++count_;
    cond_.NotifyAll();
  }
  void WaitFor(int count) {
    MutexLock lock(mutex_);
    while (count_ < count) cond_.Wait(mutex_);
  }
  int count() {
    MutexLock lock(mutex_);
    return count_;
  }

 private:
  Mutex mutex_;
  CondVar cond_;
  int count_ GN_GUARDED_BY(mutex_) = 0;
};

class GrpcTest : public ::testing::Test {
 protected:
  static constexpr std::chrono::milliseconds kLong{30'000};  // never reached by a test that passes

  GrpcTest() {
    methods_["/t.Test/Echo"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      auto got = call.Read(&message);
      if (!got.ok()) return got.status();
      if (!*got) return {GrpcCode::kInvalidArgument, "no request"};
      return call.Write(message);
    };
    methods_["/t.Test/Chat"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      while (true) {
        auto got = call.Read(&message);
        if (!got.ok()) return got.status();
        if (!*got) return {};
        Status status = call.Write(message);
        if (!status.ok()) return status;
      }
    };
    // "COUNT SIZE": that many answers of that size.
    methods_["/t.Test/Stream"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      auto got = call.Read(&message);
      if (!got.ok()) return got.status();
      int count = std::atoi(message.c_str());
      std::string answer(std::stoul(message.substr(message.find(' ') + 1)), 'x');
      for (int i = 0; i < count; ++i) {
        Status status = call.Write(answer);
        if (!status.ok()) return status;
      }
      return {};
    };
    methods_["/t.Test/Sum"] = [](GrpcServerCall& call) -> GrpcStatus {
      std::string message;
      size_t sum = 0;
      while (true) {
        auto got = call.Read(&message);
        if (!got.ok()) return got.status();
        if (!*got) return call.Write(std::to_string(sum));
        sum += message.size();
      }
    };
    // Waits for the end of its right to go on, and says why.
    methods_["/t.Test/Wait"] = [this](GrpcServerCall& call) -> GrpcStatus {
      waiting_.Add();
      std::string message;
      while (true) {
        auto got = call.Read(&message);
        if (got.ok() && *got) continue;
        if (!got.ok()) break;
        CancelSource until(call.cancel());
        Tally stopped;
        auto registration = call.cancel().OnStop([&] { stopped.Add(); });
        stopped.WaitFor(1);
        break;
      }
      GrpcStatus status(call.cancel().status());
      MutexLock lock(mutex_);
      wait_status_ = status;
      waited_.Add();
      return status;
    };
    methods_["/t.Test/Fail"] = [](GrpcServerCall&) -> GrpcStatus {
      return {GrpcCode::kAborted, "partial: 50% of \xc3\xa9\n"};
    };
    options_.backoff_base = std::chrono::milliseconds(1);
    options_.backoff_max = std::chrono::milliseconds(10);
  }

  void StartServer() {
    auto server = GrpcServer::Start(server_options_, methods_, interceptor_, pool_);
    ASSERT_TRUE(server.ok()) << server.status().message();
    server_ = *std::move(server);
    address_ = "127.0.0.1:" + std::to_string(server_->port());
  }

  void StartChannel() {
    if (options_.addresses.empty()) options_.addresses = {address_};
    auto channel = GrpcChannel::Make(options_);
    ASSERT_TRUE(channel.ok()) << channel.status().message();
    channel_ = *std::move(channel);
  }

  void Start() {
    StartServer();
    StartChannel();
  }

  // With a deadline, so that a test that goes wrong ends.
  Cancel Deadline() {
    sources_.push_back(std::make_unique<CancelSource>(Cancel(), kLong));
    return sources_.back()->cancel();
  }

  Result<std::string> Unary(std::string_view method, std::string_view request, bool wait_for_ready = false) {
    return channel_->Unary(method, request, {}, Deadline(), wait_for_ready);
  }

  std::unique_ptr<GrpcClientCall> Call(std::string_view method) { return channel_->Start(method, {}, Deadline()); }

  GrpcStatus WaitStatus() {
    MutexLock lock(mutex_);
    return wait_status_;
  }

  std::map<std::string, GrpcHandler> methods_;
  GrpcServer::Interceptor interceptor_;
  GrpcServerOptions server_options_;
  GrpcChannelOptions options_;
  std::string address_;
  Tally waiting_, waited_;
  Mutex mutex_;
  GrpcStatus wait_status_ GN_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<CancelSource>> sources_;
  ThreadPool pool_{"handlers", 64};
  std::unique_ptr<GrpcServer> server_;
  std::unique_ptr<GrpcChannel> channel_;
};

}  // namespace gauntlet::net
