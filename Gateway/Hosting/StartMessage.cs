using System.Net;
using Broker.Gateway.Transport;
using Microsoft.Extensions.DependencyInjection;

namespace Broker.Gateway.Hosting;

/// <summary>What an operator reads about the gateway when the broker is ready.</summary>
internal static class StartMessage
{
    public static string Describe(IServiceProvider services)
    {
        var port = (services.GetRequiredService<MqttListener>().LocalAddress as IPEndPoint)?.Port;
        return $"""
            MQTT 3.1, 3.1.1 and 5.0 on port {port} (TCP, no authentication: anybody who reaches it may use it)
              subscribe:  mosquitto_sub -p {port} -t 'hello/#' -v
              publish:    mosquitto_pub -p {port} -t hello/world -m hi -q 1
            """;
    }
}
