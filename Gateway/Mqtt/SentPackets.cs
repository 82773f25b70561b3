using Broker.Gateway.Mqtt.Packets;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Mqtt;

/// <summary>Counts the rare packets where they are written, so that an answer counts whichever way it came about. PUBLISH and acknowledgements count themselves.</summary>
internal static class SentPackets
{
    public static void Count(ControlPacket packet)
    {
        switch (packet)
        {
            case ConnackPacket connack:
                BrokerCounters.Add(Metric.PacketsConnackSent);
                if (connack.Code == ReasonCode.Success) break;
                BrokerCounters.Add(Metric.PacketsConnackError);
                if (connack.Code is ReasonCode.BadUserNameOrPassword or ReasonCode.NotAuthorized) BrokerCounters.Add(Metric.PacketsConnackAuthError);
                break;
            case SubackPacket suback:
                BrokerCounters.Add(Metric.PacketsSubackSent);
                foreach (var code in suback.Codes) CountRefusal(code, Metric.PacketsSubscribeError, Metric.PacketsSubscribeAuthError);
                break;
            case UnsubackPacket unsuback:
                BrokerCounters.Add(Metric.PacketsUnsubackSent);
                foreach (var code in unsuback.Codes) CountRefusal(code, Metric.PacketsUnsubscribeError, null);
                break;
            case PingrespPacket:
                BrokerCounters.Add(Metric.PacketsPingrespSent);
                break;
            case DisconnectPacket:
                BrokerCounters.Add(Metric.PacketsDisconnectSent);
                break;
            case AuthPacket:
                BrokerCounters.Add(Metric.PacketsAuthSent);
                break;
        }
    }

    private static void CountRefusal(ReasonCode code, Metric error, Metric? authError)
    {
        if (code < ReasonCode.UnspecifiedError) return;
        BrokerCounters.Add(error);
        if (code == ReasonCode.NotAuthorized && authError is { } metric) BrokerCounters.Add(metric);
    }
}
