using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.Options;
using Xunit;

namespace Broker.Tests.Protocol;

/// <summary>A wrong setting stops the start, in words that name key, value and what is allowed.</summary>
public sealed class OptionValidationTests
{
    [Theory]
    [InlineData("Mqtt:MaxPacketSize", "12", "between 1024 and 268435460")]
    [InlineData("Mqtt:MaxQos", "3", "between 0 and 2")]
    [InlineData("Mqtt:MaxInflight", "0", "between 1 and 65535")]
    [InlineData("Mqtt:ReceiveMaximum", "65536", "between 1 and 65535")]
    [InlineData("Mqtt:ServerKeepAlive", "0", "between 1 and 65535")]
    [InlineData("Mqtt:KeepAliveBackoff", "0.1", "between 0.5 and 10")]
    [InlineData("Mqtt:IdleTimeout", "02:00:00", "between 00:00:00.1000000 and 01:00:00")]
    [InlineData("Mqtt:HighWatermark", "1", "between 4096 and 268435456")]
    [InlineData("Gateway:Port", "70000", "between 0 and 65535")]
    [InlineData("Gateway:Transport", "carrier pigeon", "auto|epoll|portable")]
    [InlineData("Gateway:NodeName", "a/b", "must match")]
    [InlineData("Gateway:MaxHandshakes", "0", "between 1 and 1000000")]
    [InlineData("Routing:Shards", "0", "between 1 and 4096")]
    [InlineData("Routing:ShardLevels", "9", "between 1 and 8")]
    [InlineData("Retained:MaxPayloadBytes", "-1", "between 0 and 268435455")]
    [InlineData("Storage:MaxPendingWrites", "1", "between 1000 and 10000000")]
    [InlineData("Mqtt:QueuePriorities:a/b", "256", "between 0 and 255")]
    [InlineData("Routing:GroupStrategies:g", "best", "Sticky")]
    [InlineData("Mqtt:MessageRate", "fast", "100/s")]
    [InlineData("Mqtt:ByteRate", "1KB", "100/s")]
    [InlineData("Mqtt:RoutingQuota", "-1/s", "100/s")]
    [InlineData("Mqtt:MessageBurst", "-1", "between 0 and")]
    [InlineData("Gateway:MaxConnectRate", "-1", "between 0 and 1000000")]
    [InlineData("Gateway:MaxPendingConnects", "1", "between 16 and 1000000")]
    [InlineData("Gateway:MaxConnectWait", "00:00:00", "between 00:00:00.1000000 and 01:00:00")]
    [InlineData("Security:Flapping:MaxDisconnects", "1", "between 2 and 1000000")]
    [InlineData("Security:Flapping:BanTime", "00:00:00", "between 00:00:01 and 3650.00:00:00")]
    [InlineData("Security:BruteForce:MaxDelay", "01:00:00", "between 00:00:00 and 00:10:00")]
    [InlineData("Security:AccessCacheSize", "-1", "between 0 and")]
    [InlineData("Mqtt:MaxSessionExpiryInterval", "-1.00:00:00", "between 00:00:00 and 49710.00:00:00")]
    [InlineData("Mqtt:Mountpoint", "a\0/", "must match")]
    [InlineData("Listeners:second:Mountpoint", "a/#", "must match")]
    [InlineData("Mqtt:ResponseInformation", "a\0", "must match")]
    [InlineData("Gateway:ServerReference", "a\0", "must match")]
    [InlineData("Routing:SharedStrategy", "17", "it must be one of")]
    [InlineData("Plugins:FailedAction", "perhaps", "deny|ignore")]
    [InlineData("Metrics:LatencySample", "-1", "between 0 and 1000000")]
    [InlineData("Telemetry:OtlpEndpoint", "collector:4317", "https?://")]
    [InlineData("Telemetry:Protocol", "tcp", "grpc|http/protobuf")]
    [InlineData("Telemetry:SampleRatio", "1.5", "between 0 and 1")]
    public async Task RefusesToStart_WhenValueIsOutOfRange(string key, string value, string allowed)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => BrokerHost.StartAsync(new() { [key] = value }));
        var failure = Assert.Single(fault.Failures);
        foreach (var part in new[] { key, $"'{value}'", allowed }) Assert.Contains(part, failure, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Mqtt:MaxInflight", "many")]
    [InlineData("Mqtt:RetainAvailable", "maybe")]
    [InlineData("Mqtt:QueueDefaultPriority", "Middle")]
    [InlineData("Routing:SharedStrategy", "best")]
    public async Task RefusesToStart_WhenValueCannotBeRead(string key, string value)
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => BrokerHost.StartAsync(new() { [key] = value }));
        Assert.Contains(value, fault.Message, StringComparison.Ordinal);
        Assert.Contains(key, fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Listeners:second:Port", "many")]
    [InlineData("Listeners:second:Tls:HandshakeTimeout", "soon")]
    [InlineData("AutoSubscribe:Topics:0:Qos", "high")]
    public async Task RefusesToStart_WhenAnEntryCannotBeRead(string key, string value)
    {
        var fault = await Assert.ThrowsAsync<OptionsValidationException>(() => BrokerHost.StartAsync(new() { [key] = value }));
        Assert.Contains($"'{value}' at '{key}'", Assert.Single(fault.Failures), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Routing:Shards", "8", "16")]
    [InlineData("Routing:ShardLevels", "2", "3")]
    public async Task RefusesToStart_WhenStoreWasMadeForOtherShards(string key, string made, string configured)
    {
        var data = Directory.CreateTempSubdirectory("broker-shards-").FullName;
        await using (await BrokerHost.StartAsync(new() { [key] = made, ["Storage:DataDirectory"] = data }))
        {
        }

        var fault = await Assert.ThrowsAsync<OptionsValidationException>(
            () => BrokerHost.StartAsync(new() { [key] = configured, ["Storage:DataDirectory"] = data }));
        var failure = Assert.Single(fault.Failures);
        foreach (var part in new[] { key, $"'{configured}'", made }) Assert.Contains(part, failure, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }
}
