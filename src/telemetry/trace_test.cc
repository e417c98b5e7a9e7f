#include "telemetry/trace.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace gauntlet::telemetry {
namespace {

constexpr char kParent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

TEST(SpanContext, ReadsAndWritesTraceparent) {
  auto context = SpanContext::FromTraceparent(kParent);
  ASSERT_TRUE(context.has_value());
  EXPECT_TRUE(context->sampled);
  EXPECT_EQ(context->TraceIdHex(), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(context->ToTraceparent(), kParent);
  EXPECT_FALSE(SpanContext::FromTraceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")->sampled);
  EXPECT_TRUE(SpanContext::FromTraceparent("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"));
}

TEST(SpanContext, RefusesMalformedTraceparent) {
  for (const char* bad : {"", "00", "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                          "00-00000000000000000000000000000000-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
                          "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
                          "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
                          "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
                          "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}) {
    EXPECT_FALSE(SpanContext::FromTraceparent(bad).has_value()) << bad;
  }
  std::string whole = kParent;
  for (size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(SpanContext::FromTraceparent(whole.substr(0, n)));
}

struct Exported {
  std::vector<SpanRecord> spans;
  Tracer Make(double ratio, bool parent_based) {
    return Tracer({ratio, parent_based, [this](SpanRecord span) { spans.push_back(std::move(span)); }});
  }
};

TEST(Tracer, ExportsChildUnderItsParentWhenItEnds) {
  Exported out;
  Tracer tracer = out.Make(1, true);
  std::string trace;
  {
    Span parent = tracer.Start("parent", {}, SpanRecord::Kind::kServer);
    trace = parent.context().TraceIdHex();
    {
      Span child = tracer.Start("child", parent.context());
      child.SetAttribute("k", "v");
      child.SetError("bad");
    }
    ASSERT_EQ(out.spans.size(), 1u);
    EXPECT_EQ(out.spans[0].parent_id, parent.context().span_id);
  }
  ASSERT_EQ(out.spans.size(), 2u);
  EXPECT_EQ(out.spans[0].name, "child");
  EXPECT_EQ(out.spans[0].error, "bad");
  EXPECT_EQ(out.spans[0].attributes.at(0).second, "v");
  EXPECT_EQ(out.spans[0].context.TraceIdHex(), trace);
  EXPECT_EQ(out.spans[1].kind, SpanRecord::Kind::kServer);
  EXPECT_GE(out.spans[1].end_unix_ns, out.spans[1].start_unix_ns);
  EXPECT_NE(out.spans[0].context.span_id, out.spans[1].context.span_id);
}

TEST(Tracer, MovedSpanIsExportedOnce) {
  Exported out;
  Tracer tracer = out.Make(1, true);
  {
    Span a = tracer.Start("a", {});
    Span b = std::move(a);
    b = tracer.Start("b", {});
    EXPECT_EQ(out.spans.size(), 1u);
  }
  EXPECT_EQ(out.spans.size(), 2u);
}

TEST(Tracer, CallerDecidesOnlyWhenParentBased) {
  SpanContext sampled = *SpanContext::FromTraceparent(kParent), unsampled = sampled;
  unsampled.sampled = false;
  Exported out;
  Tracer never = out.Make(0, true), stubborn = out.Make(0, false), always = out.Make(1, true);
  EXPECT_TRUE(never.Start("x", sampled).recording());
  EXPECT_FALSE(never.Start("x", {}).recording());
  EXPECT_FALSE(stubborn.Start("x", sampled).recording());
  EXPECT_FALSE(always.Start("x", unsampled).recording());
  EXPECT_TRUE(never.Start("x", unsampled, SpanRecord::Kind::kInternal, true).recording());
  EXPECT_EQ(always.Start("x", unsampled).context().trace_id, unsampled.trace_id);
  EXPECT_EQ(out.spans.size(), 2u);
}

TEST(Tracer, RatioSamplesAboutThatShareAndAgreesPerTrace) {
  Exported out;
  Tracer tracer = out.Make(0.25, false);
  std::set<std::string> ids;
  int sampled = 0;
  for (int i = 0; i < 4000; ++i) {
    Span span = tracer.Start("x", {});
    ids.insert(span.context().TraceIdHex());
    sampled += span.recording();
    EXPECT_EQ(tracer.Start("y", span.context()).recording(), span.recording());
  }
  EXPECT_EQ(ids.size(), 4000u);
  EXPECT_NEAR(sampled, 1000, 200);
}

TEST(Tracer, WithoutExporterPassesTheContextOn) {
  Tracer tracer;
  SpanContext parent = *SpanContext::FromTraceparent(kParent);
  Span span = tracer.Start("x", parent);
  EXPECT_EQ(span.context().ToTraceparent(), kParent);
  EXPECT_FALSE(span.recording());
  EXPECT_FALSE(tracer.Start("x", {}).context().valid());
}

}  // namespace
}  // namespace gauntlet::telemetry
