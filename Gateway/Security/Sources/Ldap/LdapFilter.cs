using System.Formats.Asn1;
using System.Text;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>What the entries of a search must be. [RFC 4511, 4.5.1.7]</summary>
internal abstract record LdapFilter
{
    public static LdapFilter Of(LdapOptions options)
    {
        if (options.Filters.Length == 0) return new Equal("objectClass", options.MatchObjectClass);
        LdapFilter whole = new Equal(options.Filters[0].Key, options.Filters[0].Value);
        for (var at = 1; at < options.Filters.Length; at++)
        {
            whole = new Pair(options.Filters[at - 1].Op == "or", whole, new Equal(options.Filters[at].Key, options.Filters[at].Value));
        }

        return whole;
    }

    public abstract void Write(AsnWriter writer);

    private sealed record Equal(string Attribute, string Value) : LdapFilter
    {
        public override void Write(AsnWriter writer)
        {
            using var match = writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, 3));
            writer.WriteOctetString(Encoding.UTF8.GetBytes(Attribute));
            writer.WriteOctetString(Encoding.UTF8.GetBytes(Value));
        }
    }

    private sealed record Pair(bool IsOr, LdapFilter First, LdapFilter Second) : LdapFilter
    {
        public override void Write(AsnWriter writer)
        {
            using var set = writer.PushSetOf(new Asn1Tag(TagClass.ContextSpecific, IsOr ? 1 : 0));
            First.Write(writer);
            Second.Write(writer);
        }
    }
}
