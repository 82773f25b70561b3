using Broker.Gateway.Security;
using Broker.Gateway.Transport;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Broker.Gateway.Hosting;

/// <summary>What an operator reads about the gateway when the broker is ready.</summary>
internal static class StartMessage
{
    public static string Describe(IServiceProvider services)
    {
        var listeners = services.GetRequiredService<Listeners>().All.Select(one => one.Setup).ToArray();
        var allowAnonymous = services.GetRequiredService<IOptionsMonitor<SecurityOptions>>().CurrentValue.AllowAnonymous;
        var text = string.Join('\n', listeners.Select(one => Describe(one, allowAnonymous)));
        if (listeners.FirstOrDefault(one => one.Options.Kind == "tcp") is not { Info.Port: var port }) return text;
        return $"""
            {text}
              subscribe:  mosquitto_sub -p {port} -t 'hello/#' -v
              publish:    mosquitto_pub -p {port} -t hello/world -m hi -q 1
            """;
    }

    private static string Describe(ListenerSetup listener, bool allowAnonymous)
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
            : listener.TakesAnybody(allowAnonymous) ? "no authentication: anybody who reaches it may use it"
            : "clients prove who they are";
        return $"MQTT 3.1, 3.1.1 and 5.0 on port {info.Port} ({kind}, {proof})";
    }
}
