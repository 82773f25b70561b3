using Broker.Gateway.Security.Bans;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;

namespace Broker.Gateway.Security.Guard;

/// <summary>What stands before authentication: bans, and how many may come. Behind it: how soon a failure is answered.</summary>
internal sealed class ConnectGuard(IBanList bans, ConnectAdmission admission, BruteForceGuard bruteForce)
{
    public BruteForceGuard BruteForce => bruteForce;

    public ConnectAdmission Admission => admission;

    /// <summary>Whether a client may go on to authentication.</summary>
    /// <returns>Denied with code and reason, or ignored. What is told the client is the code alone.</returns>
    public AuthenticationResult Check(ClientInfo client)
    {
        if (bans.IsBanned(client, out var ban))
        {
            BrokerCounters.Add(Metric.ClientRefusedBanned);
            return AuthenticationResult.Deny(ReasonCode.Banned, $"{ban.Reason} ({ban.Kind} {ban.Who} until {ban.Until:u})") with { Source = ban.By };
        }

        switch (admission.Admit(resumes: !client.CleanStart))
        {
            case ReasonCode.ServerBusy:
                BrokerCounters.Add(Metric.ClientRefusedBusy);
                return AuthenticationResult.Deny(ReasonCode.ServerBusy, "too many authentications in progress");
            case ReasonCode.ConnectionRateExceeded:
                BrokerCounters.Add(Metric.ClientRefusedRate);
                return AuthenticationResult.Deny(ReasonCode.ConnectionRateExceeded, "too many CONNECTs a second");
            default:
                return AuthenticationResult.Ignore;
        }
    }
}
