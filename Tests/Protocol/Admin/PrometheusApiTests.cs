using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/emqx_prometheus` under the names of EMQ X 4.x.</summary>
public sealed class PrometheusApiTests(BrokerHost broker) : IClassFixture<BrokerHost>
{
    /// <summary>All that EMQ X 4.3 exports, and how many messages are delayed; braces stand for the words between them.</summary>
    private const string Names = """
        {connections,sessions,topics,suboptions,subscribers,subscriptions,subscriptions_shared,routes,retained,delayed}_{count,max}
        vm_{cpu_use,cpu_idle,run_queue,process_messages_in_queues,total_memory,used_memory}
        cluster_nodes_{running,stopped}
        bytes_{received,sent}
        packets_{received,sent,connect}
        packets_connack_{sent,error,auth_error}
        packets_publish_{received,sent,inuse,error,auth_error,dropped}
        packets_{puback,pubrec,pubcomp}_{received,sent,inuse,missed}
        packets_pubrel_{received,sent,missed}
        packets_subscribe_{received,error,auth_error}
        packets_suback_{sent}
        packets_unsubscribe_{received,error}
        packets_unsuback_{sent}
        packets_pingreq_{received}
        packets_pingresp_{sent}
        packets_disconnect_{received,sent}
        packets_auth_{received,sent}
        messages_{received,sent}
        messages_{qos0,qos1,qos2}_{received,sent}
        messages_{publish,dropped,dropped_expired,dropped_no_subscribers,forward,retained,delayed,delivered,acked}
        delivery_dropped
        delivery_dropped_{no_local,too_large,qos0_msg,queue_full,expired}
        client_{connected,authenticate,auth_success_anonymous,check_acl,subscribe,unsubscribe,disconnected}
        session_{created,resumed,takeovered,discarded,terminated}
        """;

    [Fact]
    public async Task EveryNameIsThere_AsTextAndAsJson()
    {
        await using var client = await RawClient.ConnectAsync(broker, "scraped");
        using var api = new ApiClient(broker, null);
        var (status, type, text) = await api.SendAsync("GET", "/emqx_prometheus?type=prometheus");
        Assert.Equal((HttpStatusCode.OK, "text/plain"), (status, type));
        var found = Regex.Matches(text, @"\G# TYPE (\w+) (gauge|counter)\n\1 (\d+(?:\.\d+)?(?:E[+]\d+)?)\n").ToDictionary(one => one.Groups[1].Value, one => (Type: one.Groups[2].Value, Value: double.Parse(one.Groups[3].Value, CultureInfo.InvariantCulture)));
        string[] names = [.. Names.Split('\n').SelectMany(line => Expand(line.Trim())).Select(name => $"emqx_{name}").Order(StringComparer.Ordinal)];
        Assert.Equal(names, found.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(text.Length, Regex.Matches(text, @"\G.*\n").Sum(line => line.Length));
        Assert.Equal(("gauge", "counter"), (found["emqx_connections_count"].Type, found["emqx_packets_connect"].Type));
        Assert.True(found["emqx_connections_count"].Value >= 1 && found["emqx_packets_connect"].Value >= 1 && found["emqx_vm_total_memory"].Value > 1e8, text);
        Assert.Equal(1, found["emqx_cluster_nodes_running"].Value);

        var groups = await api.SucceedAsync("GET", "/emqx_prometheus");
        Assert.Equal(["stats", "metrics", "packets", "messages", "delivery", "client", "session"], groups.EnumerateObject().Select(group => group.Name));
        Assert.Equal(names, groups.EnumerateObject().SelectMany(group => group.Value.EnumerateObject()).Select(one => one.Name).Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> Expand(string pattern)
    {
        var begin = pattern.IndexOf('{', StringComparison.Ordinal);
        if (begin < 0) return [pattern];
        var end = pattern.IndexOf('}', StringComparison.Ordinal);
        return pattern[(begin + 1)..end].Split(',').SelectMany(word => Expand(pattern[..begin] + word + pattern[(end + 1)..]));
    }
}
