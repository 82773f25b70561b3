using Broker.Gateway.Mqtt;
using Broker.Gateway.Transport;
using Broker.Tests.Protocol.Harness;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>A broker that listens in every way there is, and a well-behaved client at each listener that stays all along.</summary>
public class EveryListener : BrokerHost
{
    /// <summary>Largest WebSocket frame and message, in bytes.</summary>
    internal const int MaxFrameSize = 64 * 1024;

    /// <summary>Of all beginnings: longer than what tests wait for without letting time pass.</summary>
    private const string Timeout = "00:01:00";

    private static readonly Dictionary<string, string> Kinds = new()
    {
        ["tcp"] = "tcp", ["proxy"] = "tcp", ["proxytls"] = "tls", ["tls"] = "tls", ["mutual"] = "tls", ["psk"] = "tls", ["ws"] = "ws", ["wss"] = "wss",
    };

    private readonly TestCertificates certificates;
    private readonly List<GoodClient> residents = [];

    public EveryListener()
        : this(new TestCertificates(), null)
    {
    }

    private protected EveryListener(TestCertificates certificates, string? transport)
        : base(With(certificates, transport)) => this.certificates = certificates;

    /// <summary>The certificate of clients, and its key.</summary>
    internal (string Certificate, string Key) Device => (certificates.FileOf("device.pem"), certificates.FileOf("device.key"));

    /// <summary>Connections there now are.</summary>
    internal ConnectionTable Connections => Services.GetRequiredService<ConnectionTable>();

    /// <summary>How many connections the residents have.</summary>
    internal int Residents => residents.Count;

    /// <summary>Connects the residents, unless they are already.</summary>
    internal async Task SettleResidentsAsync()
    {
        if (residents.Count > 0) return;
        foreach (var front in Entrance.Fronts) residents.Add(await GoodClient.ConnectAsync(this, front, "resident of " + front));
    }

    /// <summary>Every resident's message must come back to it.</summary>
    internal async Task ExpectResidentsServedAsync()
    {
        foreach (var resident in residents) await resident.RoundTripAsync();
    }

    /// <summary>Nobody but the residents may be connected any more, whichever way it is counted.</summary>
    internal async Task ExpectAttackersGoneAsync()
    {
        var (listeners, admission) = (Services.GetRequiredService<Listeners>(), Services.GetRequiredService<HandshakeAdmission>());
        var counts = Entrance.Fronts.GroupBy(front => front.Listener).Select(group => (Info: listeners[group.Key], Expected: group.Count())).ToArray();
        await Wait.UntilAsync(
            () => Connections.Count == Residents && admission.Running == 0 && counts.All(one => one.Info.Connections == one.Expected),
            () => $"{Residents} connections of {Connections.Count}, none of {admission.Running} handshakes; {string.Join(", ", counts.Select(one => $"{one.Info.Name} {one.Expected} of {one.Info.Connections}"))}");
    }

    public override async ValueTask DisposeAsync()
    {
        foreach (var resident in residents) await resident.DisposeAsync();
        await base.DisposeAsync();
        certificates.Dispose();
        GC.SuppressFinalize(this);
    }

    private static Dictionary<string, string?> With(TestCertificates certificates, string? transport)
    {
        certificates.Sign("server", "CN=server", "localhost").Dispose();
        certificates.Sign("other", "CN=other", "other.example").Dispose();
        certificates.Sign("device", "CN=device").Dispose();
        File.WriteAllText(certificates.FileOf("psk"), "device:0123456789abcdef");
        var settings = new Dictionary<string, string?> { ["Gateway:Transport"] = transport, ["Mqtt:IdleTimeout"] = Timeout };
        foreach (var (name, kind) in Kinds)
        {
            var listener = "Listeners:" + name;
            (settings[$"{listener}:Kind"], settings[$"{listener}:Address"], settings[$"{listener}:Port"]) = (kind, "127.0.0.1", "0");
            (settings[$"{listener}:WebSocket:Compression"], settings[$"{listener}:WebSocket:MaxFrameSize"]) = ("true", $"{MaxFrameSize}");
            settings[$"{listener}:ProxyProtocolTimeout"] = settings[$"{listener}:Tls:HandshakeTimeout"] = Timeout;
            if (name.StartsWith("proxy", StringComparison.Ordinal)) settings[$"{listener}:ProxyProtocol"] = "true";
            if (name == "psk") settings[$"{listener}:Tls:PskFile"] = certificates.FileOf("psk");
            if (name == "psk" || kind is "tcp" or "ws") continue;
            foreach (var (section, file) in new[] { ("", "server"), ("Certificates:0:", "other") })
            {
                settings[$"{listener}:Tls:{section}Certificate"] = certificates.FileOf(file + ".pem");
                settings[$"{listener}:Tls:{section}Key"] = certificates.FileOf(file + ".key");
            }

            settings[$"{listener}:Tls:CaCertificate"] = certificates.Authority;
            settings[$"{listener}:Tls:Verify"] = name == "mutual" ? "required" : "none";
        }

        return settings;
    }
}

/// <summary>The same on the transport of systems without epoll.</summary>
public sealed class PortableEveryListener() : EveryListener(new TestCertificates(), "portable");
