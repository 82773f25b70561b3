using Broker.Gateway.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Hosting;

/// <summary>What an operator reads about the gateway when the broker is ready.</summary>
internal static class StartMessage
{
    public static string Describe(IServiceProvider services)
    {
        var listeners = services.GetRequiredService<Listeners>().All.Select(one => one.Setup).ToArray();
        var text = string.Join('\n', listeners.Select(Describe));
        if (listeners.FirstOrDefault(one => one.Options.Kind == "tcp") is not { Info.Port: var port }) return text;
        return $"""
            {text}
              subscribe:  mosquitto_sub -p {port} -t 'hello/#' -v
              publish:    mosquitto_pub -p {port} -t hello/world -m hi -q 1
            """;
    }

    private static string Describe(ListenerSetup listener)
    {
        var (info, options) = (listener.Info, listener.Options);
        var kind = options.Kind switch
        {
            "tls" => "TLS",
            "ws" => $"WebSocket, path {options.WebSocket.Path}",
            "wss" => $"WebSocket over TLS, path {options.WebSocket.Path}",
            _ => "TCP",
        };
        var proof = options.Tls.PskFile is not null && options.IsSecure ? "clients show a pre-shared key"
            : options.IsSecure && options.Tls.Verify == "required" ? "clients show a certificate"
            : "no authentication: anybody who reaches it may use it";
        return $"MQTT 3.1, 3.1.1 and 5.0 on port {info.Port} ({kind}, {proof})";
    }
}
