using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Broker.Gateway.Configuration;
using Broker.Gateway.Mqtt.Codec.V5;
using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Admin;

/// <summary>Settings that change while the broker runs hold from then on, after a restart too, and nothing wrong is ever taken.</summary>
public sealed class ConfigurationApiTests(BrokerHost broker) : IClassFixture<BrokerHost>, IDisposable
{
    private readonly ApiClient api = new(broker);

    public void Dispose() => api.Dispose();

    [Fact]
    public async Task ConnectionLivesByWhatItWasTold_WhenALimitChanges()
    {
        await using var before = await RawClient.ConnectAsync(broker, "before");
        await SetAsync("""{"mqtt:maxqos":1}""");
        Assert.Equal(("1", "cluster"), await ReadAsync("Mqtt:MaxQos"));
        await using var after = await RawClient.ConnectAsync(broker, "after");
        Assert.Equal((byte)1, after.Connack.Properties[PropertyId.MaximumQos]);
        await before.PublishAsync("limit", "x", Qos.ExactlyOnce);
        await after.SendAsync(WirePacket.Publish("limit", "x", Qos.ExactlyOnce, 1));
        await after.ExpectDisconnectAsync(ReasonCode.QosNotSupported);

        await SetAsync("""{"Mqtt:MaxQos":null}""");
        Assert.Equal(("2", "default"), await ReadAsync("Mqtt:MaxQos"));
        await using var last = await RawClient.ConnectAsync(broker, "last");
        await last.PublishAsync("limit", "x", Qos.ExactlyOnce);
    }

    [Theory]
    [InlineData("""{"Mqtt:MaxQos":3}""", "Mqtt:MaxQos = '3' is not allowed: it must be between 0 and 2.")]
    [InlineData("""{"Mqtt:MaxQos":"high"}""", "Mqtt:MaxQos")]
    [InlineData("""{"Mqtt:MaxInflight":[1]}""", "Mqtt:MaxInflight = [1] is not allowed: it must be one value.")]
    [InlineData("""{"Mqtt:MaxInflight":{"a":1}}""", "Mqtt:MaxInflight")]
    [InlineData("""{"Mqtt:Nothing":1}""", "Mqtt:Nothing cannot be set while the broker runs.")]
    [InlineData("""{"Mqtt:SysInterval":"00:00:01"}""", "Mqtt:SysInterval cannot be set while the broker runs.")]
    [InlineData("""{"Gateway:Port":1}""", "Gateway:Port cannot be set while the broker runs.")]
    [InlineData("""{"Storage:DataDirectory":"x"}""", "Storage:DataDirectory cannot be set while the broker runs.")]
    [InlineData("""{"Rewrite:Publish":["x"]}""", "Rewrite:Publish:0 = 'x' is not allowed")]
    [InlineData("""{"Rewrite:Publish":"x"}""", "Rewrite:Publish")]
    [InlineData("""{"Listeners:a":{"Kind":"tls"}}""", "Listeners:a:Tls:Certificate = '' is not allowed")]
    [InlineData("""{"Listeners:a":{"Kind":"udp"}}""", "Listeners:a:Kind = 'udp' is not allowed")]
    [InlineData("""{"Security:MySql:Server":"nowhere:x"}""", "Security:MySql:Server")]
    [InlineData("""{"Listeners:a:Tls:KeyPassword":"***"}""", "is what is shown of a secret")]
    [InlineData("""{"Security:Http:Auth":{"Url":"http://127.0.0.1/","Headers":{"Authorization":"***"}}}""", "Security:Http:Auth:Headers:Authorization = *** is what is shown of a secret")]
    [InlineData("""{"Rewrite:Publish":[null]}""", "Rewrite:Publish:0 = null is not allowed: it must be one value.")]
    [InlineData("""{"AutoSubscribe:Topics":[{"Topic":"a","Quality":1}]}""", "AutoSubscribe:Topics:0:Quality cannot be set: there is no such key.")]
    [InlineData("""{"Mqtt:Mountpoint":"a/+/"}""", "Mqtt:Mountpoint = 'a/+/' is not allowed")]
    [InlineData("""{"SlowSubscriptions:Stats":"half"}""", "SlowSubscriptions:Stats = 'half' is not allowed: it must be whole|internal|response.")]
    [InlineData("""{"Listeners:default:MaxConnections":"x"}""", "'x' at 'Listeners:default:MaxConnections'")] // whoever passes it over closes the listener
    [InlineData("""{"Listeners:default":{"Tls":{"HandshakeTimeout":"soon"}}}""", "Listeners:default:Tls:HandshakeTimeout")]
    [InlineData("""{"AutoSubscribe:Topics":[{"Topic":"a"},{"Topic":"b","Qos":"x"}]}""", "'x' at 'AutoSubscribe:Topics:1:Qos'")]
    [InlineData("""{"Mqtt:MaxSessionExpiryInterval":"-00:00:01"}""", "Mqtt:MaxSessionExpiryInterval = '-00:00:01' is not allowed")]
    [InlineData("""{"Mqtt:QueueDefaultPriority":2}""", "Mqtt:QueueDefaultPriority = '2' is not allowed: it must be one of Highest, Lowest.")]
    [InlineData("""{"Logging:LogLevel:Polly":9}""", "Logging:LogLevel:Polly = '9' is not allowed: it must be one of Trace")]
    [InlineData("""{"Mqtt:SessionExpiryInterval":60}""", "as a number alone would be days")]
    [InlineData("""{"Security:DenyAction":"disconnect","Mqtt:MaxQos":7}""", "Mqtt:MaxQos")]
    public async Task NothingChanges_WhenSomethingIsWrong(string body, string reason)
    {
        var before = await VersionAsync();
        var answer = await api.CallAsync("PUT", "/v5/configuration", body);
        Assert.Equal(108, answer.GetProperty("code").GetInt32());
        Assert.Contains(reason, answer.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(before, await VersionAsync());
        Assert.Equal("ignore", (await ReadAsync("Security:DenyAction")).Value);
        await using var client = await RawClient.ConnectAsync(broker, "still-welcome");
    }

    [Fact]
    public async Task ListenerComesAndChangesAndGoes_AndTheOthersStay()
    {
        await SetAsync("""{"Listeners:extra":{"Address":"127.0.0.1","Port":0,"Mountpoint":"one/"}}""");
        var port = broker.PortOf("extra");
        using var first = await OpenAsync(port, "extra-1");
        await using var watcher = await RawClient.ConnectAsync(broker, "watcher");
        await watcher.SubscribeAsync("+/where");
        await SetAsync("""{"Listeners:extra:Mountpoint":"two/"}""");
        Assert.Equal(port, broker.PortOf("extra"));
        using var second = await OpenAsync(port, "extra-2");
        await first.SendAsync(WirePacket.Publish("where", "a", Qos.AtMostOnce, 0, level: 4));
        await watcher.ExpectPublishAsync("one/where", "a");
        await second.SendAsync(WirePacket.Publish("where", "b", Qos.AtMostOnce, 0, level: 4));
        await watcher.ExpectPublishAsync("two/where", "b");
        Assert.Equal(["mqtt:tcp:default", "mqtt:tcp:extra"], await ListenersAsync());

        await SetAsync("""{"Listeners:extra:Enabled":false}""");
        Assert.Equal(["mqtt:tcp:default"], await ListenersAsync());
        await EndsAsync(first);
        await EndsAsync(second);
        await Assert.ThrowsAnyAsync<SocketException>(() => OpenAsync(port, "extra-3"));
        await watcher.PublishAsync("still/there", "x");
        await SetAsync("""{"Listeners:extra":null}""");
    }

    [Fact]
    public async Task PortThatIsTaken_IsToldAndTriedAgain()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var node = Assert.Single((await SetAsync($$$"""{"Listeners:taken":{"Address":"127.0.0.1","Port":{{{port}}}}}""")).GetProperty("nodes").EnumerateArray());
        Assert.Contains($"Listeners:taken:Port = {port}: cannot listen there", Assert.Single(node.GetProperty("faults").EnumerateArray()).GetString(), StringComparison.Ordinal);
        var drift = Assert.Single((await api.SucceedAsync("GET", "/v5/configuration/drift")).GetProperty("nodes").EnumerateArray());
        Assert.Equal(["Listeners:taken:Address", "Listeners:taken:Port"], drift.GetProperty("differences").EnumerateArray().Select(one => one.GetProperty("key").GetString()).Order());
        other.Stop();
        var applier = broker.Services.GetRequiredService<SettingApplier>();
        var looks = 0;
        await Wait.UntilAsync(
            () =>
            {
                if (looks++ % 100 == 0) broker.Advance(TimeSpan.FromSeconds(10));
                return applier.Applied.Faults.Length == 0;
            },
            "the listener has its port");
        using (await OpenAsync(port, "taken"))
        {
        }

        drift = Assert.Single((await api.SucceedAsync("GET", "/v5/configuration/drift")).GetProperty("nodes").EnumerateArray());
        Assert.Equal((0, 0), (drift.GetProperty("differences").GetArrayLength(), drift.GetProperty("faults").GetArrayLength()));
        await SetAsync("""{"Listeners:taken":null}""");
    }

    [Fact]
    public async Task BrokerStarts_WhenAPortThatWasSetMeanwhileIsTaken()
    {
        await using var own = await BrokerHost.StartAsync([]);
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        using (var caller = new ApiClient(own)) await caller.SucceedAsync("PUT", "/v5/configuration", $$$"""{"Listeners:taken":{"Address":"127.0.0.1","Port":{{{port}}}}}""");
        await own.RestartAsync();
        await using var client = await RawClient.ConnectAsync(own, "served");
        var applier = own.Services.GetRequiredService<SettingApplier>();
        await Wait.UntilAsync(() => applier.Applied.Faults is [var fault] && fault.Contains($"Port = {port}: cannot listen there", StringComparison.Ordinal), () => "the fault is told");
        other.Stop();
        applier.ApplyAgain();
        await Wait.UntilAsync(() => applier.Applied.Faults.Length == 0, () => "the listener has its port");
        using (await OpenAsync(port, "taken"))
        {
        }
    }

    [Fact]
    public async Task StrangersAreRefused_WhenTheChainSaysSo()
    {
        await SetAsync("""{"Security:AllowAnonymous":false}""");
        await using (var stranger = await RawClient.OpenAsync(broker))
        {
            await stranger.SendAsync(WirePacket.Connect("stranger"));
            Assert.Equal(ReasonCode.NotAuthorized, (await stranger.ExpectAsync(PacketType.Connack)).Code);
        }

        await SetAsync("""{"Security:AllowAnonymous":null}""");
        await using var welcome = await RawClient.ConnectAsync(broker, "stranger");
    }

    [Fact]
    public async Task SourceComesAndGoes_ForThoseWhoAreConnectedToo()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "deny all publish secret/#\n");
        await using var client = await RawClient.ConnectAsync(broker, "sourced");
        await client.PublishAsync("secret/1", "x");
        await SetAsync($$"""{"Security:AclFile:Path":"{{file}}"}""");
        await client.SendAsync(WirePacket.Publish("secret/1", "x", Qos.AtLeastOnce, 7));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Code);
        await api.SucceedAsync("PUT", "/modules/emqx_mod_acl_internal/unload");
        await client.PublishAsync("secret/1", "x");
        await api.SucceedAsync("PUT", "/modules/emqx_mod_acl_internal/load");
        await client.SendAsync(WirePacket.Publish("secret/1", "x", Qos.AtLeastOnce, 8));
        Assert.Equal(ReasonCode.NotAuthorized, (await client.ExpectAsync(PacketType.Puback)).Code);
        await SetAsync("""{"Security:AclFile:Path":null}""");
        await client.PublishAsync("secret/1", "x");
        File.Delete(file);
    }

    [Theory]
    [InlineData("Mqtt:ResponseInformation")]
    [InlineData("Gateway:ServerReference")]
    [InlineData("Mqtt:Mountpoint")]
    public async Task TextIsRefused_WhenNoPacketHasPlaceForIt(string key)
    {
        var answer = await api.CallAsync("PUT", "/v5/configuration", $$"""{"{{key}}":"{{new string('x', 70_000)}}"}""");
        Assert.Equal(108, answer.GetProperty("code").GetInt32());
        Assert.Contains("must match", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task HeaderIsHidden_AndWhatIsShownOfItIsNoHeader()
    {
        await SetAsync("""{"Security:Http:Auth":{"Url":"http://127.0.0.1:1/","Headers":{"Authorization":"Bearer hush"}},"Security:Http:Acl:Headers":{"X-Site":"hush"}}""");
        Assert.Equal(("***", "cluster"), await ReadAsync("Security:Http:Acl:Headers:X-Site"));
        Assert.Equal(("***", "cluster"), await ReadAsync("Security:Http:Auth:Headers:Authorization"));
        foreach (var path in new[] { "/v5/configuration/drift", "/v5/audit?endpoint=change_configuration" }) Assert.DoesNotContain("hush", (await api.CallAsync("GET", path)).GetRawText(), StringComparison.Ordinal);
        foreach (var body in new[] { """{"Security:Http:Auth:Headers:Authorization":"***"}""", """{"Security:Http:Auth:Headers":{"Authorization":"***"}}""", """{"Security:Http":{"Auth":{"Headers":{"Authorization":"***"}}}}""" })
        {
            var answer = await api.CallAsync("PUT", "/v5/configuration", body);
            Assert.Equal((108, "Security:Http:Auth:Headers:Authorization = *** is what is shown of a secret."), (answer.GetProperty("code").GetInt32(), answer.GetProperty("message").GetString()));
        }

        var (document, _) = broker.Services.GetRequiredService<SettingTable>().Current;
        Assert.Equal("Bearer hush", document.Settings["Security:Http:Auth:Headers:Authorization"].GetString());
        await SetAsync("""{"Security:Http":null}""");
    }

    [Fact]
    public async Task ListTakesThePlaceOfTheWholeList_WhenItIsSet()
    {
        await SetAsync("""{"Rewrite:Publish":["old/# ^old/(.+)$ first/$1","older/# ^older/(.+)$ second/$1"],"AutoSubscribe:Topics":[{"Topic":"second/#","Qos":1}]}""");
        await using var client = await RawClient.ConnectAsync(broker, "lists");
        await client.SendAsync(WirePacket.Publish("older/1", "x", Qos.AtMostOnce, 0));
        await client.ExpectPublishAsync("second/1", "x");
        await SetAsync("""{"Rewrite:Publish":["older/# ^older/(.+)$ second/again/$1"]}""");
        await using var later = await RawClient.ConnectAsync(broker, "lists-2");
        await later.SendAsync(WirePacket.Publish("older/1", "y", Qos.AtMostOnce, 0));
        await later.ExpectPublishAsync("second/again/1", "y");
        var drift = Assert.Single((await api.SucceedAsync("GET", "/v5/configuration/drift")).GetProperty("nodes").EnumerateArray());
        Assert.Empty(drift.GetProperty("differences").EnumerateArray());
        await SetAsync("""{"Rewrite":null,"AutoSubscribe":null}""");
    }

    [Fact]
    public async Task NobodysWordIsLost_WhenManySpeakAtOnce()
    {
        const int Speakers = 60; // more than anybody's tries
        await Task.WhenAll(Enumerable.Range(0, Speakers).Select(number => SetAsync($$$"""{"Mqtt:QueuePriorities:many/{{{number}}}":{{{number}}}}""")));
        for (var number = 0; number < Speakers; number++) Assert.Equal(($"{number}", "cluster"), await ReadAsync($"Mqtt:QueuePriorities:many/{number}"));
        await SetAsync("""{"Mqtt:QueuePriorities":null}""");
        var version = await VersionAsync();
        await SetAsync("""{"Mqtt:MaxInflight":31}""", $"?version={version}");
        Assert.Equal(108, (await api.CallAsync("PUT", $"/v5/configuration?version={version}", """{"Mqtt:MaxInflight":30}""")).GetProperty("code").GetInt32());
        Assert.Equal(("31", "cluster"), await ReadAsync("Mqtt:MaxInflight"));
        await SetAsync("""{"Mqtt:MaxInflight":null}""");
    }

    [Fact]
    public async Task SettingsHoldAfterARestart_BeforeAnybodyConnects()
    {
        await using var own = await BrokerHost.StartAsync(new() { ["Mqtt:MaxQos"] = "1", ["Mqtt:MaxTopicAlias"] = "5" });
        using (var caller = new ApiClient(own)) await caller.SucceedAsync("PUT", "/v5/configuration", """{"Mqtt:MaxQos":0,"Listeners:tls:Tls:KeyPassword":"word","Listeners:tls:Enabled":false}""");
        await own.RestartAsync();
        await using var client = await RawClient.ConnectAsync(own, "restarted");
        Assert.Equal((byte)0, client.Connack.Properties[PropertyId.MaximumQos]);
        using var again = new ApiClient(own);
        var settings = (await again.SucceedAsync("GET", "/v5/configuration?section=Mqtt")).GetProperty("settings").EnumerateArray()
            .ToDictionary(one => one.GetProperty("key").GetString()!, one => (one.GetProperty("value").GetString(), one.GetProperty("source").GetString()));
        Assert.Equal([("0", "cluster"), ("5", "start"), ("32", "default")], [settings["Mqtt:MaxQos"], settings["Mqtt:MaxTopicAlias"], settings["Mqtt:MaxInflight"]]);
        Assert.DoesNotContain("word", (await again.SucceedAsync("GET", "/v5/configuration/drift")).GetRawText(), StringComparison.Ordinal);
    }

    private async Task<JsonElement> SetAsync(string body, string query = "") => await api.SucceedAsync("PUT", $"/v5/configuration{query}", body);

    private async Task<long> VersionAsync() => (await api.SucceedAsync("GET", "/v5/configuration")).GetProperty("version").GetInt64();

    private async Task<(string? Value, string? Source)> ReadAsync(string key)
    {
        var one = (await api.SucceedAsync("GET", $"/v5/configuration?section={Uri.EscapeDataString(key)}")).GetProperty("settings").EnumerateArray().Single(row => row.GetProperty("key").GetString() == key);
        return (one.GetProperty("value").GetString(), one.GetProperty("source").GetString());
    }

    private async Task<string[]> ListenersAsync() =>
        [.. (await api.SucceedAsync("GET", "/listeners"))[0].GetProperty("listeners").EnumerateArray().Where(one => one.TryGetProperty("identifier", out _)).Select(one => one.GetProperty("identifier").GetString()!).Order()];

    /// <summary>A 3.1.1 client by another door, accepted.</summary>
    private static async Task<Socket> OpenAsync(int port, string clientId)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port);
        await socket.SendAsync(WirePacket.Connect(clientId, level: 4));
        var answer = new byte[4];
        Assert.Equal(4, await socket.ReceiveAsync(answer));
        Assert.Equal([0x20, 2, 0, 0], answer);
        return socket;
    }

    private static async Task EndsAsync(Socket socket) => Assert.Equal(0, await socket.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(10)));
}
