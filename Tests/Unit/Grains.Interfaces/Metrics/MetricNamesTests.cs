using Broker.Grains.Interfaces.Metrics;
using Xunit;

namespace Broker.Tests.Unit.Grains.Interfaces.Metrics;

public class MetricNamesTests
{
    /// <summary>The names of EMQ X 4.3 that begin as ours do.</summary>
    private const string EmqxNames = """
        bytes.received bytes.sent packets.received packets.sent packets.connect.received
        packets.connack.sent packets.connack.error packets.connack.auth_error
        packets.publish.received packets.publish.sent packets.publish.inuse packets.publish.error packets.publish.auth_error packets.publish.dropped
        packets.puback.received packets.puback.sent packets.puback.inuse packets.puback.missed
        packets.pubrec.received packets.pubrec.sent packets.pubrec.inuse packets.pubrec.missed
        packets.pubrel.received packets.pubrel.sent packets.pubrel.missed
        packets.pubcomp.received packets.pubcomp.sent packets.pubcomp.inuse packets.pubcomp.missed
        packets.subscribe.received packets.subscribe.error packets.subscribe.auth_error packets.suback.sent
        packets.unsubscribe.received packets.unsubscribe.error packets.unsuback.sent
        packets.pingreq.received packets.pingresp.sent packets.disconnect.received packets.disconnect.sent packets.auth.received packets.auth.sent
        messages.received messages.sent messages.qos0.received messages.qos0.sent messages.qos1.received messages.qos1.sent
        messages.qos2.received messages.qos2.sent messages.publish messages.dropped messages.dropped.await_pubrel_timeout messages.dropped.no_subscribers
        messages.forward messages.retained messages.delayed messages.delivered messages.acked
        delivery.dropped delivery.dropped.no_local delivery.dropped.too_large delivery.dropped.qos0_msg delivery.dropped.queue_full delivery.dropped.expired
        client.connect client.connack client.connected client.authenticate client.check_acl client.subscribe client.unsubscribe client.disconnected
        client.auth.success client.auth.success.anonymous client.auth.failure client.auth.ignore client.acl.allow client.acl.deny client.acl.ignore client.acl.cache_hit
        session.created session.resumed session.takeovered session.discarded session.terminated
        """;

    /// <summary>What EMQ X does not count.</summary>
    private static readonly string[] Own =
    [
        "client.flapping", "client.rate_limited", "client.read_paused", "client.refused", "client.refused.banned", "client.refused.busy", "client.refused.closed",
        "client.refused.delayed", "client.refused.rate", "hooks.dropped", "hooks.failed", "listener.denied", "listener.frame.failed", "listener.full", "listener.proxy.failed", "listener.tls.failed",
        "listener.upgrade.failed", "messages.dropped.link_full", "messages.dropped.store_failed", "messages.retained.dropped", "packets.malformed",
        "packets.publish.quota_exceeded", "packets.too_large", "routes.repaired", "session.lost",
    ];

    [Fact]
    public void NamesAreUnique_WhenAllAreRead()
    {
        var names = MetricNames.ReadAll().Select(metric => metric.Name).ToArray();
        Assert.Equal(names.Distinct(), names);
    }

    [Fact]
    public void NamesAreThoseOfEmqx_WhenItHasThem()
    {
        var known = EmqxNames.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Own, MetricNames.ReadAll().Select(metric => metric.Name).Except(known).Order(StringComparer.Ordinal));
    }
}
