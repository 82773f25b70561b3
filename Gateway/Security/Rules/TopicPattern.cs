namespace Broker.Gateway.Security.Rules;

/// <summary>The topics one access rule is about: a filter with `%c` and `%u` as whole levels, or `eq` and a text that is compared as it stands.</summary>
internal sealed class TopicPattern
{
    /// <summary>A filter; a text that begins with `eq ` is compared as it stands, as EMQ X's databases write it.</summary>
    public static TopicPattern Parse(string text) => throw new NotImplementedException();

    /// <summary>Compares as it stands: no wildcards, no placeholders.</summary>
    public static TopicPattern Exact(string text) => throw new NotImplementedException();

    /// <summary>Whether a topic, or a filter somebody subscribes to, is among them. A filter is compared as if it were a topic.</summary>
    /// <param name="broadly">For rules that deny: a `#` of the client's filter is also met by `+`.</param>
    public bool Covers(ClientInfo client, ReadOnlySpan<char> topic, bool broadly) => throw new NotImplementedException();
}
