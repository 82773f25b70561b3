using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Silo;
using Broker.Silo.Health;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>`/metrics` of one broker among several in this process.</summary>
public sealed class MetricsEndpointTests(MetricsEndpointTests.Timed broker) : IClassFixture<MetricsEndpointTests.Timed>
{
    /// <summary>Every delivery is timed.</summary>
    public sealed class Timed() : BrokerHost(new() { ["Metrics:LatencySample"] = "1" });

    private int Port => broker.Services.GetRequiredService<AdminServer>().Port;

    [Fact]
    public async Task EveryMeterIsShown_WhenSomethingHasHappened()
    {
        await using var client = await RawClient.ConnectAsync(broker, "shown", cleanStart: false, expiry: 100);
        await client.SubscribeAsync("shown", Qos.AtLeastOnce);
        await client.SendAsync(WirePacket.Publish("shown", "x", Qos.AtLeastOnce, 7));
        await client.ExpectPublishAsync("shown", "x", Qos.AtLeastOnce);
        var shown = await Scrape.UntilAsync(broker, one => one["broker_message_latency_seconds_count{qos=\"1\"}"] > 0 && one["broker_store_writes_total"] > 0, "the delivery is shown");
        Assert.True(shown["broker_connections"] >= 1 && shown["broker_connections_limit"] > 1 && shown["broker_messages_received_total"] >= 1, shown.Text);
        Assert.True(shown["broker_connect_duration_seconds_count"] >= 1 && shown["broker_store_commit_duration_seconds_bucket{le=\"+Inf\"}"] >= 1, shown.Text);
        Assert.Equal((1, 1, 1, 1), (
            shown["broker_node_ready{check=\"store\"}"], shown["broker_node_ready{check=\"shards\"}"], shown["broker_node_ready{check=\"membership\"}"], shown["broker_cluster_members"]));
        Assert.Superset(
            new HashSet<string> { "orleans_catalog_activations", "dotnet_gc_collections_total", "dotnet_process_memory_working_set_bytes", "kestrel_active_connections", "http_server_active_requests", "target_info" },
            shown.Names.ToHashSet());
        Assert.Contains("service_instance_id=\"broker@127.0.0.1\"", shown.Text, StringComparison.Ordinal);
        Assert.True(shown.Text.Length < 256 * 1024, $"{shown.Text.Length} characters");
    }

    [Theory]
    [InlineData(null, "text/plain", false)]
    [InlineData("application/openmetrics-text; version=1.0.0", "application/openmetrics-text", true)]
    public async Task TheFormatIsTheOneAskedFor(string? accept, string type, bool ends)
    {
        var answer = await Scrape.GetAsync(Port, accept);
        Assert.Equal((HttpStatusCode.OK, type, ends), (answer.Status, answer.Type, answer.Text.EndsWith("# EOF\n", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task OnlyItsOwnIsShown_WhenThereIsAnotherBroker()
    {
        await using var other = await BrokerHost.StartAsync([]);
        await using var one = await RawClient.ConnectAsync(other, "one");
        await using var two = await RawClient.ConnectAsync(other, "two");
        await Scrape.UntilAsync(other, shown => shown["broker_connections"] == 2 && shown["broker_connect_duration_seconds_count"] == 2, "the other's two clients are shown, and none of this one's");
        Assert.Single((await Scrape.OfAsync(broker)).Names, "broker_connections"); // a series that is there twice is no scrape
    }

    [Fact]
    public async Task WaitingForAnAbsentClientIsNotTimed_AndOneDeliveryIsTimedOnce()
    {
        await using var timed = await BrokerHost.StartAsync(new() { ["Metrics:LatencySample"] = "1" });
        await using var publisher = await RawClient.ConnectAsync(timed, "publisher");
        await using (var absent = await RawClient.ConnectAsync(timed, "absent", cleanStart: false, expiry: 100)) await absent.SubscribeAsync("late/#", Qos.ExactlyOnce);
        await timed.SettleAsync();
        await publisher.PublishAsync("late/queued", "x");
        await publisher.PublishAsync("late/retained", "x", Qos.AtLeastOnce, retain: true);
        await using var back = await RawClient.ConnectAsync(timed, "absent", cleanStart: false, expiry: 100);
        await back.ExpectPublishAsync("late/queued", "x", Qos.AtLeastOnce);
        await back.ExpectPublishAsync("late/retained", "x", Qos.AtLeastOnce);
        await publisher.SubscribeAsync("late/retained");
        await publisher.ExpectAsync(PacketType.Publish);
        await publisher.SendAsync(WirePacket.Publish("late/retained", "y", Qos.AtMostOnce, 0));
        await publisher.ExpectAsync(PacketType.Publish);
        var shown = await Scrape.UntilAsync(timed, one => one["broker_message_latency_seconds_count{qos=\"0\"}"] > 0, "the one delivery that was waited for");
        Assert.Equal((2, 0), (shown["broker_message_latency_seconds_count{qos=\"0\"}"], shown["broker_message_latency_seconds_count{qos=\"1\"}"])); // to both, who were there
        Assert.InRange(shown["broker_message_latency_seconds_sum{qos=\"0\"}"], 0.000001, 30);
    }

    [Fact]
    public async Task SecretsAreAsked_WhenItIsNotOpen()
    {
        await using var closed = await BrokerHost.StartAsync(new() { ["Metrics:Open"] = "false", ["Metrics:Token"] = "secret" });
        var port = closed.Services.GetRequiredService<AdminServer>().Port;
        foreach (var wrong in new[] { null, new("Bearer", "secre"), new AuthenticationHeaderValue("Bearer", "secret2"), Basic("admin:wrong") }) Assert.Equal(HttpStatusCode.Unauthorized, (await Scrape.GetAsync(port, null, wrong)).Status);
        foreach (var right in new[] { new("Bearer", "secret"), Basic("admin:public") }) Assert.Equal(HttpStatusCode.OK, (await Scrape.GetAsync(port, null, right)).Status);
    }

    [Fact]
    public async Task IsNotFound_WhenItIsOff()
    {
        await using var off = await BrokerHost.StartAsync(new() { ["Metrics:Enabled"] = "false" });
        Assert.Equal(HttpStatusCode.NotFound, (await Scrape.GetAsync(off.Services.GetRequiredService<AdminServer>().Port)).Status);
    }

    [Fact]
    public async Task IsShown_WhenTheProcessIsASiloAlone()
    {
        var data = Directory.CreateTempSubdirectory("broker-test-").FullName;
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(
            [new("Admin:Address", "127.0.0.1"), new("Admin:Port", "0"), new("Storage:DataDirectory", data), new("Metrics:Open", "false"), new("Metrics:Token", "secret")]);
        builder.AddBrokerSilo();
        builder.AddSessionDefaults();
        using (var silo = builder.Build())
        {
            await silo.StartAsync();
            var port = silo.Services.GetRequiredService<AdminServer>().Port;
            Assert.Equal(HttpStatusCode.Unauthorized, (await Scrape.GetAsync(port, null, Basic("admin:public"))).Status); // no API, no applications
            var answer = await Scrape.GetAsync(port, null, new("Bearer", "secret"));
            Assert.Equal(HttpStatusCode.OK, answer.Status);
            Assert.Contains("broker_topics", answer.Text, StringComparison.Ordinal);
            await silo.StopAsync();
        }

        Directory.Delete(data, recursive: true);
    }

    private static AuthenticationHeaderValue Basic(string credential) => new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credential)));
}
