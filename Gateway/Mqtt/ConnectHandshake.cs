using System.Text;
using Broker.Gateway.History;
using Broker.Gateway.Hooks;
using Broker.Gateway.Mqtt.Packets;
using Broker.Gateway.Security;
using Broker.Gateway.Sessions;
using Broker.Grains.Interfaces.Messages;
using Broker.Grains.Interfaces.Metrics;
using Broker.Grains.Interfaces.Topics;

namespace Broker.Gateway.Mqtt;

/// <summary>From CONNECT to CONNACK: check, authenticate, take over, open the session. [MQTT-3.1.4]</summary>
/// <remarks>On the connection's event loop. The connection is suspended while this waits, but for AUTH exchanges.</remarks>
internal sealed class ConnectHandshake(Connection connection, ConnectionServices services, ConnectPacket connect, PeerInfo peer)
{
    private readonly string? userName = peer.UserName ?? connect.UserName; // a certificate's wins
    private ClientInfo client = null!;
    private string mountpoint = "";
    private string? assignedId;
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool registered;
    private bool done;
    private bool mayLeaveWill = true;
    private IEnhancedExchange? exchange;

    /// <summary>Runs up to CONNACK, or to the first AUTH.</summary>
    public async ValueTask RunAsync()
    {
        var code = Check();
        if (code != ReasonCode.Success)
        {
            Refuse(code, "CONNECT not acceptable");
            return;
        }

        var check = services.Guard.Check(client);
        if (check.Verdict == AuthenticationVerdict.Deny)
        {
            Refuse(check.Code, check.Code == ReasonCode.Banned ? "banned" : "too many clients", check);
            return;
        }

        if (!services.Hooks.ClientConnect.IsEmpty)
        {
            (connect, client) = await ConnectHooks.ReadAsync(services.Hooks, connect, client, connection.Mqtt);
            if (connection.IsEnding) return;
            connection.Sender.Limit(connect);
        }

        if (connect.AuthenticationMethod is { } method)
        {
            if (services.Authentication.FindMethod(method) is not { } authenticator)
            {
                Refuse(ReasonCode.BadAuthenticationMethod, "unknown authentication method"); // [MQTT-4.12.0-1]
                return;
            }

            exchange = authenticator.Begin(client);
            await StepAsync(connect.AuthenticationData);
            return;
        }

        var result = await WaitAsync(services.Authentication.AuthenticateAsync(client, connect.Password));
        if (connection.IsEnding) return;
        if (result.Verdict == AuthenticationVerdict.Allow)
        {
            // Nobody has vouched for a client that is anonymous: it would wipe out the failures of its address.
            if (result.Source is not null) services.Guard.BruteForce.Succeeded(client);
            await AdmitAsync(result.Grants ?? ClientGrants.None, null);
        }
        else
        {
            RefuseFailure(result.Code, result);
        }
    }

    /// <summary>An AUTH from the client: goes on with the exchange, or begins re-authentication. [MQTT-4.12.1]</summary>
    public async ValueTask ContinueAuthenticationAsync(AuthPacket packet)
    {
        var begins = packet.Code == ReasonCode.Reauthenticate && done;
        if (connect.AuthenticationMethod is not { } method || packet.AuthenticationMethod != method // [MQTT-4.12.0-5]
            || (!begins && (packet.Code != ReasonCode.ContinueAuthentication || exchange is null)))
        {
            connection.Disconnect(ReasonCode.ProtocolError, "AUTH out of place");
            return;
        }

        if (begins) exchange = services.Authentication.FindMethod(method)!.Begin(client);
        await StepAsync(packet.AuthenticationData);
    }

    /// <summary>The connection has ended: lets go of what the handshake holds.</summary>
    public async ValueTask AbandonAsync()
    {
        if (!registered || done) return;
        // Who takes over from this one must wait until the one before it is gone too, and until this one has left the session it was opening:
        // its request must not reach the session behind the successor's.
        await opened.Task;
        await services.Registry.UnregisterAsync(client.ClientId, connection.Number);
    }

    private async ValueTask StepAsync(byte[]? data)
    {
        var step = await (done ? exchange!.NextAsync(data) : WaitAsync(exchange!.NextAsync(data)));
        if (connection.IsEnding) return;
        if (step.Code == ReasonCode.ContinueAuthentication || (step.Code == ReasonCode.Success && done))
        {
            connection.Send(new AuthPacket(step.Code) { AuthenticationMethod = connect.AuthenticationMethod, AuthenticationData = step.Data });
            if (step.Code == ReasonCode.Success) exchange = null;
            return;
        }

        exchange = null;
        if (!done) Authentication.Count(step);
        if (step.Code == ReasonCode.Success)
        {
            client = client with { UserName = step.UserName ?? client.UserName };
            services.Guard.BruteForce.Succeeded(client);
            await AdmitAsync(step.Grants ?? ClientGrants.None, step.Data);
            return;
        }

        var denial = AuthenticationResult.Deny(step.Code, step.Reason ?? "authentication failed") with { Source = connect.AuthenticationMethod };
        if (!done)
        {
            RefuseFailure(step.Code, denial);
            return;
        }

        services.Recorder.Add(client.ClientId, new ClientEvent(ClientEventKind.ConnectRefused, step.Code, denial.Source!) { Reason = $"re-authentication: {denial.Reason}" });
        connection.Disconnect(step.Code, "re-authentication failed");
    }

    private ValueTask<T> WaitAsync<T>(ValueTask<T> answer) => ConnectPatience.WaitAsync(answer, services.Guard.Admission, connection.Loop.Deadlines, () =>
    {
        BrokerCounters.Add(Metric.ClientRefusedBusy);
        Refuse(ReasonCode.ServerBusy, "authentication takes too long");
    });

    /// <summary>What can be decided from the packet alone; fills <see cref="client"/>.</summary>
    private ReasonCode Check()
    {
        var options = connection.Mqtt;
        var id = peer.ClientId ?? (options.UseUsernameAsClientId && !string.IsNullOrEmpty(userName) ? userName : connect.ClientId);
        if (id.Length == 0)
        {
            // Only who leaves nothing behind may go without a name in 3.x. [3.1.1 MQTT-3.1.3-8]
            if (connect.Version == ProtocolVersion.V31 || (connect.Version == ProtocolVersion.V311 && !connect.CleanStart))
            {
                client = Describe(id);
                return ReasonCode.ClientIdentifierNotValid;
            }

            id = assignedId = "auto-" + Guid.NewGuid().ToString("N"); // [MQTT-3.1.3-6]
        }

        client = Describe(id);
        if (id.Length > options.MaxClientIdLength) return ReasonCode.ClientIdentifierNotValid;
        if (peer.ClientId is not null && connect.ClientId.Length == 0) assignedId = id; // it cannot know it [MQTT-3.2.2-16]
        if (!TryMount(peer.Listener.Mountpoint ?? options.Mountpoint ?? "")) return ReasonCode.ClientIdentifierNotValid;
        if (connect.Will is not { } will) return ReasonCode.Success;
        if (will.Qos > options.HighestQos) return ReasonCode.QosNotSupported; // [MQTT-3.2.2-12]
        if (will.Retain && !options.RetainAvailable) return ReasonCode.RetainNotSupported; // [MQTT-3.2.2-13]
        if (!CanMountWill()) return ReasonCode.TopicNameInvalid;
        return options.MaxTopicLevels > 0 && will.Topic.LevelCount > options.MaxTopicLevels ? ReasonCode.TopicNameInvalid : ReasonCode.Success;
    }

    /// <summary>Fills in the client's own mountpoint.</summary>
    private bool TryMount(string template)
    {
        mountpoint = template.Replace("%c", client.ClientId, StringComparison.Ordinal).Replace("%u", userName ?? "", StringComparison.Ordinal);
        if (mountpoint != client.Mountpoint) client = client with { Mountpoint = mountpoint };
        return mountpoint.Length == 0 || TopicName.TryParse(Encoding.UTF8.GetBytes(mountpoint), out _);
    }

    private bool CanMountWill() =>
        mountpoint.Length == 0 || connect.Will is not { } will || TopicName.TryParse(Encoding.UTF8.GetBytes(mountpoint + will.Topic.Text), out _);

    private ClientInfo Describe(string id) => connection.Identify(connect, new()
    {
        ClientId = id,
        UserName = userName,
        Version = connect.Version,
        CleanStart = connect.CleanStart,
        KeepAlive = connect.Version == ProtocolVersion.V5 && connection.Mqtt.ServerKeepAlive is { } forced ? forced : connect.KeepAlive,
        ExpirySeconds = Acceptance.ExpirySeconds(connect, connection.Mqtt),
        RemoteAddress = peer.RemoteAddress,
        Listener = peer.Listener.Name,
        ListenerPort = peer.Listener.Port,
        AuthenticationRequired = peer.Listener.Authenticates,
        CommonName = peer.CommonName,
        Subject = peer.Subject,
        ConnectedAt = connection.Loop.Time.GetUtcNow(),
    });

    /// <summary>The client is who it says: gives it what it was granted, and looks whether its will may be.</summary>
    private async ValueTask AdmitAsync(ClientGrants grants, byte[]? authenticationData)
    {
        client = client with { IsSuperuser = grants.IsSuperuser, Rules = grants.Rules };
        if (grants.Mountpoint is { } own && !(TryMount(own) && CanMountWill()))
        {
            Refuse(ReasonCode.UnspecifiedError, "mountpoint not acceptable");
            return;
        }

        if (connect.Will is { } will && !await new ClientAccess(services.Authorization, client, connection.Loop.Time) { Tracer = connection.Tracer }.MayAsync(TopicAccess.Publish, will.Topic.Text))
        {
            if (services.Authorization.DenialDisconnects)
            {
                Refuse(ReasonCode.NotAuthorized, "will not authorized");
                return;
            }

            mayLeaveWill = false;
        }

        if (!connection.IsEnding) await OpenAsync(authenticationData);
    }

    private async ValueTask OpenAsync(byte[]? authenticationData)
    {
        var accepted = Acceptance.Make(connect, client, connection.Mqtt, assignedId, authenticationData);
        if (!connection.Sender.Accepts(accepted))
        {
            Refuse(ReasonCode.PacketTooLarge, connection.NoteTooLarge(accepted.Type));
            return;
        }

        registered = true;
        connection.Registered = client;
        try
        {
            await TakeOverAsync(accepted);
        }
        finally
        {
            opened.SetResult();
        }
    }

    /// <summary>Takes over from an older connection, opens the session, accepts.</summary>
    private async ValueTask TakeOverAsync(ConnackPacket accepted)
    {
        var (code, session) = await OpenSessionAsync();
        if (session is null)
        {
            if (code != ReasonCode.Success) Refuse(code, "no session");
            return;
        }

        if (connection.IsEnding)
        {
            await session.CloseAsync(publishWill: false, expirySeconds: null);
            if (!session.StoresReceipts) services.EndSession(client);
            return;
        }

        done = true;
        connection.Sender.Serve(client, Encoding.UTF8.GetByteCount(mountpoint));
        connection.Send(ConnectHooks.Write(services.Hooks, client, accepted with { SessionPresent = session.IsPresent }));
        ConnectHooks.Opened(services.Hooks, client, session.IsPresent);
        connection.Accepted(client, session, mountpoint);
    }

    /// <returns>Success without a session if the connection has ended meanwhile.</returns>
    private async ValueTask<(ReasonCode Code, ISession? Session)> OpenSessionAsync()
    {
        using var activity = client.ExpirySeconds > 0 || !client.CleanStart ? BrokerActivities.Connect(client.ClientId) : null;
        var found = await services.Registry.RegisterAsync(client.Register(services.Registry.LocationOf(connection.Number)), connect.CleanStart);
        if (found.IsTakenOver) connection.Disconnect(ReasonCode.SessionTakenOver, "takeovered");
        if (connection.IsEnding) return (ReasonCode.Success, null);
        var opened = await services.Sessions.OpenAsync(connection, client, connect, mayLeaveWill ? Acceptance.MakeWill(connect.Will, client, mountpoint, services.Router.Delays) : null, found.HasStoredSession);
        if (opened.Session is null) activity.Fail(opened.Code.ToString());
        return opened;
    }

    /// <summary>The client is not who it says: it is told so later if that has happened often.</summary>
    private void RefuseFailure(ReasonCode code, in AuthenticationResult denial)
    {
        if (connection.IsEnding) return;
        var delay = services.Guard.BruteForce.Failed(client, code);
        if (delay == TimeSpan.Zero) Refuse(code, "authentication failed", denial);
        else DelayedRefusal.Begin(connection, services.Guard.BruteForce, NoteRefusal(code, "authentication failed", denial), "refused: authentication failed", delay);
    }

    /// <param name="denial">What the authentication chain said, if it was asked: for the operator.</param>
    private void Refuse(ReasonCode code, string reason, in AuthenticationResult denial = default)
    {
        if (!connection.IsEnding) connection.Apply(NoteRefusal(code, reason, denial), $"refused: {reason}");
    }

    private ProtocolReply NoteRefusal(ReasonCode code, string reason, in AuthenticationResult denial)
    {
        services.Recorder.Add(client.ClientId, new ClientEvent(ClientEventKind.ConnectRefused, code, denial.Source ?? ClientEvent.Broker) { Reason = denial.Reason ?? reason });
        BrokerCounters.Add(Metric.ClientRefused);
        foreach (var observer in services.Observers) observer.Refused(client, code, reason);
        return ConnectHooks.Write(services.Hooks, client, connection.Rules.Refuse(code, connect.RequestProblemInformation ? reason : null));
    }
}
