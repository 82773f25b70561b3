namespace Broker.Tests.Protocol.Transport.Fuzz;

/// <summary>What can stand between a socket and MQTT.</summary>
internal enum Layer
{
    ProxyV1,
    ProxyV2,
    Tls,
    MutualTls,
    Psk,
    WebSocket,
}

/// <summary>A place at which bytes get into the broker.</summary>
/// <param name="Listener">Its name.</param>
/// <param name="Spoken">Layers that are spoken as they should be.</param>
/// <param name="Imitated">Layers behind them, to which hostile bytes are handed; with none it is MQTT.</param>
internal sealed record Entrance(string Name, string Listener, Layer[] Spoken, Layer[] Imitated)
{
    public static IReadOnlyList<Entrance> All { get; } =
    [
        new("tcp", "tcp", [], []),
        new("PROXY v1", "proxy", [], [Layer.ProxyV1]),
        new("PROXY v2", "proxy", [], [Layer.ProxyV2]),
        new("TLS behind PROXY", "proxytls", [], [Layer.ProxyV2, Layer.Tls]),
        new("TLS", "tls", [], [Layer.Tls]),
        new("mutual TLS", "mutual", [], [Layer.MutualTls]),
        new("TLS-PSK", "psk", [], [Layer.Psk]),
        new("ws", "ws", [], [Layer.WebSocket]),
        new("wss", "wss", [], [Layer.Tls, Layer.WebSocket]),
        new("inside TLS", "tls", [Layer.Tls], []),
        new("inside TLS-PSK", "psk", [Layer.Psk], []),
        new("inside ws", "ws", [Layer.WebSocket], []),
        new("HTTP inside wss", "wss", [Layer.Tls], [Layer.WebSocket]),
        new("MQTT inside wss", "wss", [Layer.Tls, Layer.WebSocket], []),
    ];

    /// <summary>One for each way of connecting: nothing is spoken before the attack.</summary>
    public static IEnumerable<Entrance> Fronts => All.Where(one => one.Spoken.Length == 0);

    /// <summary>All that a good client speaks here.</summary>
    public Layer[] Layers => [.. Spoken, .. Imitated];

    /// <summary>Whether each attack begins with a handshake that takes its time.</summary>
    public bool IsInsideTls => Spoken.Contains(Layer.Tls) || Spoken.Contains(Layer.Psk);

    public static Entrance Of(string name) => All.Single(one => one.Name == name);

    public override string ToString() => Name;
}
