/* onehop.c */
int
main(void)
{
	return 75;
}
