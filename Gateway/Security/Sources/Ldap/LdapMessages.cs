using System.Formats.Asn1;
using System.Text;

namespace Broker.Gateway.Security.Sources.Ldap;

/// <summary>The messages of LDAP version 3 that are needed to bind and to search. [RFC 4511]</summary>
internal static class LdapMessages
{
    /// <summary>Codes of results. [RFC 4511, appendix A]</summary>
    public const int Success = 0, SizeLimitExceeded = 4, NoSuchObject = 32, InvalidDnSyntax = 34, InvalidCredentials = 49;

    private const int Version = 3;
    private const int WholeSubtree = 2, NeverDereference = 0;
    private const int MostEntries = 2; // one is what is looked for; that there are more is to be known
    private static readonly Asn1Tag BindRequest = Application(0), BindResponse = Application(1), SearchRequest = Application(3), SearchEntry = Application(4), SearchDone = Application(5);

    /// <summary>Who the broker wants to be. [4.2]</summary>
    public static byte[] Bind(int number, string dn, ReadOnlySpan<byte> password)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(number);
            using (writer.PushSequence(BindRequest))
            {
                writer.WriteInteger(Version);
                writer.WriteOctetString(Encoding.UTF8.GetBytes(dn));
                writer.WriteOctetString(password, new Asn1Tag(TagClass.ContextSpecific, 0));
            }
        }

        return writer.Encode();
    }

    /// <summary>Which entries, and what of them. [4.5.1]</summary>
    public static byte[] Search(int number, string baseDn, LdapFilter filter, IEnumerable<string> attributes)
    {
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(number);
            using (writer.PushSequence(SearchRequest))
            {
                writer.WriteOctetString(Encoding.UTF8.GetBytes(baseDn));
                writer.WriteEncodedValue([(byte)UniversalTagNumber.Enumerated, 1, WholeSubtree]);
                writer.WriteEncodedValue([(byte)UniversalTagNumber.Enumerated, 1, NeverDereference]);
                writer.WriteInteger(MostEntries);
                writer.WriteInteger(0); // no limit of time but the broker's own
                writer.WriteBoolean(false);
                filter.Write(writer);
                using (writer.PushSequence())
                {
                    foreach (var attribute in attributes) writer.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                }
            }
        }

        return writer.Encode();
    }

    /// <summary>Reads one answer.</summary>
    /// <returns>The number of the request; and an entry, or a result, or neither for what does not matter here.</returns>
    /// <exception cref="AsnContentException">It is none.</exception>
    public static (int Number, LdapEntry? Entry, int? Result) Read(ReadOnlyMemory<byte> bytes)
    {
        var message = new AsnReader(bytes, AsnEncodingRules.BER).ReadSequence();
        if (!message.TryReadInt32(out var number)) throw new AsnContentException("the number of a message is none");
        var tag = message.PeekTag();
        if (tag.HasSameClassAndValue(SearchEntry)) return (number, ReadEntry(message.ReadSequence(SearchEntry)), null);
        var isResult = tag.HasSameClassAndValue(BindResponse) || tag.HasSameClassAndValue(SearchDone) || number == 0; // 0: the server says why it hangs up [4.4]
        if (!isResult) return (number, null, null);
        var code = message.ReadSequence(tag).ReadEnumeratedBytes();
        return (number, null, code.Span[^1]);
    }

    private static LdapEntry ReadEntry(AsnReader entry)
    {
        var dn = ReadText(entry);
        var attributes = new Dictionary<string, List<byte[]>>(StringComparer.OrdinalIgnoreCase);
        var list = entry.ReadSequence();
        while (list.HasData)
        {
            var attribute = list.ReadSequence();
            var name = ReadText(attribute);
            var values = new List<byte[]>();
            var set = attribute.ReadSetOf(skipSortOrderValidation: true);
            while (set.HasData) values.Add(set.ReadOctetString());
            attributes[name.Split(';')[0]] = values; // behind the semicolon are options
        }

        return new LdapEntry(dn, attributes);
    }

    private static string ReadText(AsnReader reader) => Encoding.UTF8.GetString(reader.ReadOctetString());

    private static Asn1Tag Application(int number) => new(TagClass.Application, number);
}

/// <summary>An entry of a directory.</summary>
/// <param name="Dn">Its name.</param>
/// <param name="Attributes">The attributes that were asked for, as far as it has them.</param>
internal sealed record LdapEntry(string Dn, IReadOnlyDictionary<string, List<byte[]>> Attributes)
{
    /// <summary>The values of an attribute; none if it has it not.</summary>
    public IReadOnlyList<byte[]> Values(string attribute) => Attributes.TryGetValue(attribute, out var values) ? values : [];

    /// <summary>The same, as texts.</summary>
    public IEnumerable<string> Texts(string attribute) => Values(attribute).Select(Encoding.UTF8.GetString);
}
