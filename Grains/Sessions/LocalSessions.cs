using System.Collections.Concurrent;
using Broker.Grains.Interfaces.Sessions;

namespace Broker.Grains.Sessions;

/// <summary>The durable sessions whose grains are active in this process. Thread-safe.</summary>
internal sealed class LocalSessions : ILocalSessions
{
    private readonly ConcurrentDictionary<string, DurableSession> sessions = new(StringComparer.Ordinal);

    ILocalSession? ILocalSessions.Find(string clientId) => Find(clientId);

    public DurableSession? Find(string clientId) => sessions.GetValueOrDefault(clientId);

    /// <summary>All of them, as of about now.</summary>
    public IEnumerable<DurableSession> Enumerate() => sessions.Select(pair => pair.Value);

    public void Open(DurableSession session) => sessions[session.ClientId] = session;

    public void Close(DurableSession session) => sessions.TryRemove(new KeyValuePair<string, DurableSession>(session.ClientId, session));
}
