using System.Net;

namespace Broker.Gateway.Hosting;

/// <summary>What an operator reads when the broker is ready.</summary>
internal static class StartMessage
{
    public static void Print(TextWriter to, EndPoint? mqtt, int admin, string data)
    {
        var port = (mqtt as IPEndPoint)?.Port;
        to.WriteLine($"""

            MQTT 3.1, 3.1.1 and 5.0 on port {port} (TCP, no authentication: anybody who reaches it may use it)
              subscribe:  mosquitto_sub -p {port} -t 'hello/#' -v
              publish:    mosquitto_pub -p {port} -t hello/world -m hi -q 1
            Health: curl http://localhost:{admin}/health/ready
            Data in {data}
            Stop with Ctrl-C.

            """);
        to.Flush();
    }
}
