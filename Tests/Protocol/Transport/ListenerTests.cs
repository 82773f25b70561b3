using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using Broker.Gateway.Mqtt;
using Broker.Grains.Interfaces.Metrics;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>What all listeners have in common: PROXY protocol, access rules, limits, timeouts, and hostile bytes.</summary>
public sealed class ListenerTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly byte[] Connect = WirePacket.Connect("listener", 4);
    private readonly TestCertificates certificates = new();

    public ListenerTests() => certificates.Sign("server", "CN=server", "localhost");

    public void Dispose() => certificates.Dispose();

    [Theory]
    [InlineData("PROXY TCP4 203.0.113.9 10.0.0.1 4711 1883\r\n", "203.0.113.9")]
    [InlineData("PROXY TCP6 2001:db8::9 ::1 4711 1883\r\n", "2001:db8::9")]
    [InlineData("PROXY UNKNOWN\r\n", "127.0.0.1")]
    public async Task ClientHasTheProxysAddress_WhenHeaderTellsIt(string header, string expected)
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:ProxyProtocol"] = "true" }));
        using var socket = await OpenAsync(broker);
        await socket.GetStream().WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(header), .. Connect]);
        await ExpectConnackAsync(socket.GetStream());
        Assert.Equal(expected, AddressOf(broker));
    }

    [Fact]
    public async Task CertificateIsTheProxys_WhenHeaderComesBeforeTls()
    {
        var settings = certificates.Listener();
        (settings["Listeners:tls:ProxyProtocol"], settings["Listeners:tls:Access:0"], settings["Listeners:tls:Access:1"]) = ("true", "allow 203.0.113.0/24", "deny all");
        await using var broker = await BrokerHost.StartAsync(settings);
        using var socket = await OpenAsync(broker, "tls");
        await socket.GetStream().WriteAsync(ProxyBytes.V2(new IPEndPoint(IPAddress.Parse("203.0.113.9"), 4711), "device"));
        await using var tls = new SslStream(socket.GetStream(), false, (_, shown, _, _) => shown is not null);
        await tls.AuthenticateAsClientAsync("localhost").WaitAsync(Deadline);
        await tls.WriteAsync(Connect);
        await ExpectConnackAsync(tls);
        var client = Assert.Single(broker.Services.GetRequiredService<ConnectionTable>().Enumerate()).Client!;
        Assert.Equal(("203.0.113.9", "device"), (AddressOf(broker), client.CommonName));
    }

    [Fact]
    public async Task UserNameIsTheCommonName_WhenProxyTellsIt()
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:ProxyProtocol"] = "true", ["Listeners:plain:IdentityAsUserName"] = "cn" }));
        using var socket = await OpenAsync(broker);
        await socket.GetStream().WriteAsync((byte[])[.. ProxyBytes.V2(new IPEndPoint(IPAddress.Parse("203.0.113.9"), 1), "device"), .. Connect]);
        await ExpectConnackAsync(socket.GetStream());
        Assert.Equal("device", Assert.Single(broker.Services.GetRequiredService<ConnectionTable>().Enumerate()).Client!.UserName);
    }

    [Theory]
    [InlineData("garbage that is no header\r\n")]
    [InlineData("PROXY TCP4 1.2.3.4")]
    public async Task Closes_WhenHeaderIsWrongOrDoesNotCome(string header)
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:ProxyProtocol"] = "true", ["Listeners:plain:ProxyProtocolTimeout"] = "00:00:00.5" }));
        using var socket = await OpenAsync(broker);
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(header));
        await ExpectEndAsync(socket);
    }

    [Theory]
    [InlineData("tls", "160301")]
    [InlineData("ws", "474554202F")]
    [InlineData("wss", "16")]
    public async Task Closes_WhenTheBeginningDoesNotComeInTime(string kind, string begin)
    {
        var settings = certificates.Listener(kind);
        (settings["Listeners:tls:Tls:HandshakeTimeout"], settings["Mqtt:IdleTimeout"]) = ("00:00:00.5", "00:00:00.5");
        await using var broker = await BrokerHost.StartAsync(settings);
        using var socket = await OpenAsync(broker, "tls");
        await socket.GetStream().WriteAsync(Convert.FromHexString(begin));
        await ExpectEndAsync(socket);
    }

    [Theory]
    [InlineData("deny 127.0.0.0/8", false)]
    [InlineData("deny 10.0.0.0/8", true)]
    public async Task AccessRulesDecide_WhenAClientConnects(string rule, bool allowed)
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:Access:0"] = rule }));
        using var socket = await OpenAsync(broker);
        if (!allowed)
        {
            await ExpectEndAsync(socket);
            return;
        }

        await socket.GetStream().WriteAsync(Connect);
        await ExpectConnackAsync(socket.GetStream());
    }

    [Fact]
    public async Task FurtherConnectionsAreClosed_WhenTheListenerIsFull()
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:MaxConnections"] = "1" }));
        using (var first = await OpenAsync(broker))
        {
            await first.GetStream().WriteAsync(Connect);
            await ExpectConnackAsync(first.GetStream());
            using var second = await OpenAsync(broker);
            await ExpectEndAsync(second);
        }

        using var deadline = new CancellationTokenSource(Deadline);
        while (true)
        {
            deadline.Token.ThrowIfCancellationRequested();
            using var third = await OpenAsync(broker);
            try
            {
                await third.GetStream().WriteAsync(Connect);
                await ExpectConnackAsync(third.GetStream());
                break;
            }
            catch (IOException)
            {
                // The first one's end has not been noticed yet.
            }
        }
    }

    [Fact]
    public async Task ConnectionsWait_WhenTheyComeFasterThanTheRate()
    {
        await using var broker = await BrokerHost.StartAsync(Plain(new() { ["Listeners:plain:MaxConnectRate"] = "5" }));
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var sockets = new List<TcpClient>();
        for (var i = 0; i < 12; i++) sockets.Add(await OpenAsync(broker));
        for (var i = 0; i < sockets.Count; i++)
        {
            await sockets[i].GetStream().WriteAsync(WirePacket.Connect($"rate{i}", 4));
            await ExpectConnackAsync(sockets[i].GetStream());
        }

        var took = System.Diagnostics.Stopwatch.GetElapsedTime(started);
        Assert.InRange(took.TotalSeconds, 1.5, 15);
        sockets.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task TopicsHaveTheListenersMountpoint_WhenItHasOne()
    {
        await using var broker = await BrokerHost.StartAsync(new()
        {
            ["Listeners:a:Address"] = "127.0.0.1", ["Listeners:a:Port"] = "0", ["Listeners:a:Mountpoint"] = "site/%c/",
            ["Listeners:b:Address"] = "127.0.0.1", ["Listeners:b:Port"] = "0",
        });
        using var mounted = await OpenAsync(broker, "a");
        using var plain = await OpenAsync(broker, "b");
        await plain.GetStream().WriteAsync((byte[])[.. WirePacket.Connect("plain", 4), 0x82, 6, 0, 1, 0, 1, (byte)'#', 0]);
        await ExpectConnackAsync(plain.GetStream());
        await plain.GetStream().ReadExactlyAsync(new byte[5]).AsTask().WaitAsync(Deadline);
        await mounted.GetStream().WriteAsync((byte[])[.. Connect, .. WirePacket.Publish("t", "x", level: 4)]);
        var expected = WirePacket.Publish("site/listener/t", "x", level: 4);
        var got = new byte[expected.Length];
        await plain.GetStream().ReadExactlyAsync(got).AsTask().WaitAsync(Deadline);
        Assert.Equal(expected, got);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("tls")]
    [InlineData("psk")]
    [InlineData("ws")]
    [InlineData("wss")]
    public async Task BrokerStaysWell_WhenAThousandConnectionsAreGarbage(string kind)
    {
        const int Count = 1_000;
        var settings = certificates.Listener(kind == "psk" ? "tls" : kind);
        if (kind == "psk")
        {
            await File.WriteAllTextAsync(certificates.FileOf("psk"), "a:00");
            (settings["Listeners:tls:Tls:PskFile"], settings["Listeners:tls:Tls:Certificate"]) = (certificates.FileOf("psk"), null);
        }

        await using var broker = await BrokerHost.StartAsync(settings);
        var table = broker.Services.GetRequiredService<ConnectionTable>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Count), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (number, cancellation) =>
        {
            var random = new Random(number);
            var garbage = new byte[random.Next(1, 300)];
            random.NextBytes(garbage);
            if (number % 3 == 0) new byte[] { 0x16, 3, 1, 0, 50 }.AsSpan(0, Math.Min(5, garbage.Length)).CopyTo(garbage);
            using var socket = new TcpClient { LingerState = new LingerOption(true, 0) };
            await socket.ConnectAsync(IPAddress.Loopback, broker.PortOf("tls"), cancellation);
            try
            {
                await socket.GetStream().WriteAsync(garbage, cancellation);
            }
            catch (IOException)
            {
                // The broker was faster.
            }
        });
        using var deadline = new CancellationTokenSource(Deadline);
        while (table.Count > 0)
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }

        using var good = await OpenAsync(broker);
        await good.GetStream().WriteAsync(Connect);
        await ExpectConnackAsync(good.GetStream());
        if (kind is "tls" or "wss") Assert.True(BrokerCounters.Read(Metric.ListenerTlsFailed) > 0);
    }

    private static Dictionary<string, string?> Plain(Dictionary<string, string?> settings) =>
        new(settings) { ["Listeners:plain:Address"] = "127.0.0.1", ["Listeners:plain:Port"] = "0" };

    private static async Task<TcpClient> OpenAsync(BrokerHost broker, string listener = "plain")
    {
        var socket = new TcpClient { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, broker.PortOf(listener));
        return socket;
    }

    private static async Task ExpectConnackAsync(Stream stream)
    {
        var connack = new byte[4];
        await stream.ReadExactlyAsync(connack).AsTask().WaitAsync(Deadline);
        Assert.Equal([0x20, 2, 0, 0], connack);
    }

    private static async Task ExpectEndAsync(TcpClient socket)
    {
        try
        {
            while (await socket.GetStream().ReadAsync(new byte[256]).AsTask().WaitAsync(Deadline) > 0)
            {
            }
        }
        catch (IOException)
        {
            // A reset is an end too.
        }
    }

    private static string AddressOf(BrokerHost broker)
    {
        var address = ((IPEndPoint)Assert.Single(broker.Services.GetRequiredService<ConnectionTable>().Enumerate()).Client!.RemoteAddress!).Address;
        return (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString();
    }
}
