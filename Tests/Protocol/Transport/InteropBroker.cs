using System.Security.Cryptography;
using Broker.Tests.Protocol.Harness;
using Xunit;

namespace Broker.Tests.Protocol.Transport;

/// <summary>A broker with a listener of every kind, and the browser that trusts its certificate.</summary>
public sealed class InteropBroker : IAsyncLifetime
{
    private readonly TestCertificates certificates = new();
    private readonly TestCertificates others = new("Another CA");
    private string key = "";

    internal BrokerHost Host { get; private set; } = null!;

    internal Browser Browser { get; } = new();

    /// <summary>The file of the authority that every listener's certificate is from, but that of `stranger` and `wss-stranger`.</summary>
    internal string Authority => certificates.Authority;

    /// <summary>Where a listener is reached, by the name its certificate has.</summary>
    internal string UrlOf(string listener) => listener switch
    {
        "tls" or "stranger" => $"mqtts://localhost:{Host.PortOf(listener)}",
        _ when listener.StartsWith("wss", StringComparison.Ordinal) => $"wss://localhost:{Host.PortOf(listener)}/mqtt",
        _ => $"ws://localhost:{Host.PortOf(listener)}/mqtt",
    };

    /// <inheritdoc cref="Browser.RunAsync"/>
    internal Task<string> BrowseAsync(string listener, int level, string root, string host = "localhost") => Browser.RunAsync(host, UrlOf(listener), level, root, key);

    public async ValueTask InitializeAsync()
    {
        var shown = certificates.Sign("server", "CN=server", "localhost");
        others.Sign("server", "CN=server", "localhost");
        key = Convert.ToBase64String(SHA256.HashData(shown.PublicKey.ExportSubjectPublicKeyInfo()));
        var settings = certificates.Listener();
        settings["Mqtt:MaxPacketSize"] = "2000000";
        foreach (var (name, kind) in new[] { ("ws", "ws"), ("wss", "wss"), ("ws-deflate", "ws"), ("wss-deflate", "wss"), ("ws-origin", "ws"), ("stranger", "tls"), ("wss-stranger", "wss") })
        {
            var listener = $"Listeners:{name}:";
            (settings[listener + "Kind"], settings[listener + "Address"], settings[listener + "Port"]) = (kind, "127.0.0.1", "0");
            if (name.EndsWith("deflate", StringComparison.Ordinal)) settings[listener + "WebSocket:Compression"] = "true";
            if (kind == "ws") continue;
            var from = name.EndsWith("stranger", StringComparison.Ordinal) ? others : certificates;
            (settings[listener + "Tls:Certificate"], settings[listener + "Tls:Key"]) = (from.FileOf("server.pem"), from.FileOf("server.key"));
        }

        (settings["Listeners:ws-origin:WebSocket:CheckOrigin"], settings["Listeners:ws-origin:WebSocket:Origins"]) = ("true", $"http://localhost:{Browser.Port}");
        Host = await BrokerHost.StartAsync(settings);
    }

    public async ValueTask DisposeAsync()
    {
        await Browser.DisposeAsync();
        await Host.DisposeAsync();
        certificates.Dispose();
        others.Dispose();
    }
}
