namespace Broker.Gateway.Security.Rules;

/// <summary>The topics one access rule is about: a filter in which `%c` and `%u` stand for the client's names, or `eq` and a text that is compared as it stands.</summary>
internal sealed class TopicPattern
{
    private const string ExactPrefix = "eq ";
    private readonly string text;

    /// <summary>The filter's levels; null if the text is compared as it stands.</summary>
    private readonly string[]? levels;

    private TopicPattern(string text, bool isExact) => (this.text, levels) = (text, isExact ? null : text.Split('/'));

    /// <summary>A filter; a text that begins with `eq ` is compared as it stands, as EMQ X's databases write it.</summary>
    public static TopicPattern Parse(string text) =>
        text.StartsWith(ExactPrefix, StringComparison.Ordinal) ? Exact(text[ExactPrefix.Length..].TrimStart(' ')) : new TopicPattern(text, isExact: false);

    /// <summary>Compares as it stands: no wildcards, no placeholders.</summary>
    public static TopicPattern Exact(string text) => new(text, isExact: true);

    /// <summary>Whether a topic, or a filter somebody subscribes to, is among them. A filter is compared as if it were a topic.</summary>
    /// <param name="client">Who it is about, for `%c` and `%u`.</param>
    /// <param name="topic">As the client writes it.</param>
    /// <param name="broadly">For rules that deny: a `#` of the client's filter is also met by `+`. In a rule that allows, `+` would give away the levels below.</param>
    public bool Covers(ClientInfo client, ReadOnlySpan<char> topic, bool broadly)
    {
        if (levels is null) return topic.SequenceEqual(text);
        // [MQTT-4.7.2-1]
        if (topic.StartsWith('$') && levels[0] is "+" or "#") return false;
        var rest = topic;
        var isOver = false;
        foreach (var level in levels)
        {
            if (level == "#") return true;
            if (isOver) return false;
            var slash = rest.IndexOf('/');
            var part = slash < 0 ? rest : rest[..slash];
            if (!CoversLevel(level, client, part, broadly)) return false;
            isOver = slash < 0;
            rest = isOver ? default : rest[(slash + 1)..];
        }

        return isOver;
    }

    /// <inheritdoc/>
    public override string ToString() => levels is null ? ExactPrefix + text : text;

    private static bool CoversLevel(string level, ClientInfo client, ReadOnlySpan<char> part, bool broadly) => level switch
    {
        "+" => broadly || part is not "#",
        _ when level.Contains('%', StringComparison.Ordinal) => CoversNames(level, client, part),
        _ => part.SequenceEqual(level),
    };

    /// <summary>A level with names in it.</summary>
    /// <remarks>Clients choose their names: one with a wildcard or a `$` before it would be given what is others' or the broker's.</remarks>
    private static bool CoversNames(ReadOnlySpan<char> level, ClientInfo client, ReadOnlySpan<char> part)
    {
        while (level.Length > 0)
        {
            var name = level switch
            {
                ['%', 'c', ..] => client.ClientId,
                ['%', 'u', ..] => client.UserName ?? "",
                _ => null,
            };
            if (name is "" or ['$', ..] || name.AsSpan().IndexOfAny('+', '#') >= 0 || !part.StartsWith(name ?? level[..1])) return false;
            level = level[(name is null ? 1 : 2)..];
            part = part[(name?.Length ?? 1)..];
        }

        return part.Length == 0;
    }
}
